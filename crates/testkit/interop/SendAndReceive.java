import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * Sends messages to a topic, receives them back, and prints how many per broker.
 *
 * Arguments: NameServer, topic, count. Prints lines "sent BROKER COUNT" and "received BROKER COUNT"; a message that comes
 * twice is counted twice. Ends with 1 if a message is not stored or not all of them have come after a minute.
 */
public class SendAndReceive {
    private static final int LIMIT_IN_SECONDS = 60;

    public static void main(String[] arguments) throws Exception {
        String nameServer = arguments[0];
        String topic = arguments[1];
        int count = Integer.parseInt(arguments[2]);
        Received received = new Received(count);
        DefaultMQPushConsumer consumer = startConsumer(nameServer, topic, received);
        Map<String, Integer> sent = send(nameServer, topic, count);
        boolean complete = received.missing.await(LIMIT_IN_SECONDS, TimeUnit.SECONDS);
        consumer.shutdown();
        print("sent", sent);
        print("received", received.perBroker);
        // Not by returning: threads of the client may live on for a while.
        System.exit(complete ? 0 : 1);
    }

    private static DefaultMQPushConsumer startConsumer(String nameServer, String topic, Received received) throws Exception {
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer("consumers-of-" + topic);
        consumer.setNamesrvAddr(nameServer);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            for (MessageExt message : messages) {
                received.add(context.getMessageQueue().getBrokerName(), message.getBody());
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
        return consumer;
    }

    private static Map<String, Integer> send(String nameServer, String topic, int count) throws Exception {
        DefaultMQProducer producer = new DefaultMQProducer("producers-of-" + topic);
        producer.setNamesrvAddr(nameServer);
        producer.start();
        Map<String, Integer> perBroker = new TreeMap<>();
        for (int number = 0; number < count; number++) {
            byte[] body = Integer.toString(number).getBytes(StandardCharsets.US_ASCII);
            SendResult result = producer.send(new Message(topic, body));
            if (result.getSendStatus() != SendStatus.SEND_OK) {
                throw new IllegalStateException("message " + number + ": " + result);
            }
            perBroker.merge(result.getMessageQueue().getBrokerName(), 1, Integer::sum);
        }
        producer.shutdown();
        return perBroker;
    }

    private static void print(String what, Map<String, Integer> perBroker) {
        perBroker.forEach((broker, count) -> System.out.println(what + " " + broker + " " + count));
    }

    /** What has come so far; filled by many threads. */
    private static class Received {
        final Map<String, Integer> perBroker = new ConcurrentHashMap<>();
        final CountDownLatch missing;
        private final Set<String> bodies = ConcurrentHashMap.newKeySet();

        Received(int count) {
            missing = new CountDownLatch(count);
        }

        void add(String broker, byte[] body) {
            perBroker.merge(broker, 1, Integer::sum);
            if (bodies.add(new String(body, StandardCharsets.US_ASCII))) {
                missing.countDown();
            }
        }
    }
}
