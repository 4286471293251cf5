// Sends messages to a topic, receives them back, and prints how many per broker.
//
// Arguments: NameServer, topic, count. Prints lines "sent BROKER COUNT" and "received BROKER COUNT"; a message that
// comes twice is counted twice. Ends with 1 if a message is not stored or not all of them have come after a minute.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/apache/rocketmq-client-go/v2/rlog"
)

const limit = time.Minute

func main() {
	rlog.SetLogLevel("error")
	count, err := strconv.Atoi(os.Args[3])
	if err == nil {
		err = sendAndReceive(primitive.NamesrvAddr{os.Args[1]}, os.Args[2], count)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func sendAndReceive(nameServer primitive.NamesrvAddr, topic string, count int) error {
	received := received{perBroker: map[string]int{}, bodies: map[string]bool{}, count: count, complete: make(chan struct{})}
	pushConsumer, err := startConsumer(nameServer, topic, &received)
	if err != nil {
		return err
	}
	sent, err := send(nameServer, topic, count)
	if err != nil {
		return err
	}
	select {
	case <-received.complete:
	case <-time.After(limit):
		err = fmt.Errorf("not all messages have come after %v", limit)
	}
	if shutdown := pushConsumer.Shutdown(); err == nil {
		err = shutdown
	}
	print("sent", sent)
	received.Lock()
	defer received.Unlock()
	print("received", received.perBroker)
	return err
}

func startConsumer(nameServer primitive.NamesrvAddr, topic string, received *received) (rocketmq.PushConsumer, error) {
	pushConsumer, err := rocketmq.NewPushConsumer(
		consumer.WithNameServer(nameServer),
		consumer.WithGroupName("consumers-of-"+topic),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset),
	)
	if err != nil {
		return nil, err
	}
	consume := func(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		for _, message := range messages {
			received.add(message.Queue.BrokerName, string(message.Body))
		}
		return consumer.ConsumeSuccess, nil
	}
	if err := pushConsumer.Subscribe(topic, consumer.MessageSelector{}, consume); err != nil {
		return nil, err
	}
	return pushConsumer, pushConsumer.Start()
}

func send(nameServer primitive.NamesrvAddr, topic string, count int) (map[string]int, error) {
	messages, err := rocketmq.NewProducer(
		producer.WithNameServer(nameServer),
		producer.WithGroupName("producers-of-"+topic),
	)
	if err != nil {
		return nil, err
	}
	if err := messages.Start(); err != nil {
		return nil, err
	}
	perBroker := map[string]int{}
	for number := range count {
		message := primitive.NewMessage(topic, []byte(strconv.Itoa(number)))
		result, err := messages.SendSync(context.Background(), message)
		if err != nil {
			return nil, err
		}
		if result.Status != primitive.SendOK {
			return nil, fmt.Errorf("message %d: %v", number, result)
		}
		perBroker[result.MessageQueue.BrokerName]++
	}
	return perBroker, messages.Shutdown()
}

func print(what string, perBroker map[string]int) {
	for broker, count := range perBroker {
		fmt.Println(what, broker, count)
	}
}

// What has come so far; filled by many goroutines.
type received struct {
	sync.Mutex
	perBroker map[string]int
	bodies    map[string]bool
	count     int
	complete  chan struct{}
}

func (received *received) add(broker, body string) {
	received.Lock()
	defer received.Unlock()
	received.perBroker[broker]++
	if !received.bodies[body] {
		received.bodies[body] = true
		if len(received.bodies) == received.count {
			close(received.complete)
		}
	}
}
