import com.alibaba.fastjson2.JSON;
import com.alibaba.fastjson2.JSONObject;
import com.alibaba.fastjson2.JSONWriter;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.apache.rocketmq.client.ClientConfig;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.impl.FindBrokerResult;
import org.apache.rocketmq.client.impl.MQClientAPIImpl;
import org.apache.rocketmq.client.impl.factory.MQClientInstance;
import org.apache.rocketmq.client.impl.producer.DefaultMQProducerImpl;
import org.apache.rocketmq.client.impl.producer.TopicPublishInfo;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.netty.NettyClientConfig;
import org.apache.rocketmq.remoting.protocol.ResponseCode;
import org.apache.rocketmq.remoting.protocol.route.BrokerData;
import org.apache.rocketmq.remoting.protocol.route.QueueData;
import org.apache.rocketmq.remoting.protocol.route.TopicRouteData;
import org.apache.rocketmq.remoting.rpc.ClientMetadata;

/**
 * What Java's client makes of routes.
 *
 * Argument: a file with a line of JSON for each route: "topic", "route" (the body, as a text) and "default" (the body of
 * another topic's route, which stands in for a topic that is missing). Prints a line of JSON for each; what throws is
 * {"exception": its class}.
 */
public class RouteDerivations {
    private static final long[] BROKER_IDS = {0, 1, 2, 3, 6, 7, 15, 16, -1, -2, Long.MAX_VALUE};
    private static final int[] DEFAULT_TOPIC_QUEUE_NUMS = {0, 1, 4, 1000};
    private static final String[] MOCK_BROKERS = {"__syslo__global__", "__syslo__scope-a", "__syslo__b", "__syslo__other"};
    private static final int[] QUEUE_IDS = {0, 1, 5, 12, 18, 30};

    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, "UTF-8");
        Client client = new Client();
        for (String line : Files.readAllLines(Paths.get(arguments[0]), StandardCharsets.UTF_8)) {
            JSONObject input = JSON.parseObject(line);
            Derived derived =
                new Derived(client, input.getString("topic"), input.getString("route"), input.getString("default"));
            out.println(JSON.toJSONString(derived.all(), JSONWriter.Feature.WriteNulls));
        }
        // Not by returning: threads of the client may live on for a while.
        System.exit(0);
    }

    /** All that is derived from one route. */
    private static class Derived {
        private final Client client;
        private final String topic;
        private final String body;
        private final String defaultBody;

        Derived(Client client, String topic, String body, String defaultBody) {
            this.client = client;
            this.topic = topic;
            this.body = body;
            this.defaultBody = defaultBody;
        }

        Map<String, Object> all() throws Exception {
            Map<String, Object> all = new LinkedHashMap<>();
            all.put("publish", tried(() -> published(MQClientInstance.topicRouteData2TopicPublishInfo(topic, route(body)))));
            all.put("subscribe", tried(() -> queues(MQClientInstance.topicRouteData2TopicSubscribeInfo(topic, route(body)))));
            all.put("endpoints", tried(this::endpoints));
            addresses(all);
            Map<String, Object> selected = new LinkedHashMap<>();
            for (BrokerData broker : route(body).getBrokerDatas()) {
                boolean isByChance = !broker.getBrokerAddrs().containsKey(0L) && broker.getBrokerAddrs().size() > 1;
                selected.put(broker.getBrokerName(), isByChance ? "by chance" : tried(broker::selectBrokerAddr));
            }
            all.put("selected", selected);
            Map<String, Object> capped = new LinkedHashMap<>();
            for (int nums : DEFAULT_TOPIC_QUEUE_NUMS) {
                capped.put(Integer.toString(nums), tried(() -> capped(nums)));
            }
            all.put("capped", capped);
            all.put("found", tried(() -> published(client.knowing(route(body), route(defaultBody)).find(topic))));
            all.put("foundByDefault", tried(() -> published(client.knowing(null, route(body)).find(topic))));
            return all;
        }

        private Object endpoints() {
            List<Object> endpoints = new ArrayList<>();
            ClientMetadata.topicRouteData2EndpointsForStaticTopic(topic, route(body)).forEach((queue, broker) ->
                endpoints.add(Arrays.asList(queue.getTopic(), queue.getBrokerName(), queue.getQueueId(), broker)));
            return endpoints;
        }

        /** From the table that the client itself fills from the route. */
        private void addresses(Map<String, Object> all) throws Exception {
            client.knowing(route(body), null);
            // A configuration that cannot be read throws when the table has been filled.
            tried(() -> client.instance.updateTopicRouteInfoFromNameServer(topic));
            TreeSet<String> names = new TreeSet<>(Arrays.asList("absent"));
            client.route.getBrokerDatas().forEach(broker -> names.add(broker.getBrokerName()));
            Map<String, Object> inPublish = new LinkedHashMap<>();
            Map<String, Object> inSubscribe = new LinkedHashMap<>();
            Map<String, Object> inAdmin = new LinkedHashMap<>();
            for (String name : names) {
                inPublish.put(name, client.instance.findBrokerAddressInPublish(name));
                inAdmin.put(name, found(client.instance.findBrokerAddressInAdmin(name)));
                for (long id : BROKER_IDS) {
                    for (boolean onlyThis : new boolean[] {false, true}) {
                        inSubscribe.put(name + " " + id + " " + onlyThis,
                            found(client.instance.findBrokerAddressInSubscribe(name, id, onlyThis)));
                    }
                }
            }
            all.put("inPublish", inPublish);
            all.put("inSubscribe", inSubscribe);
            all.put("inAdmin", inAdmin);
            names.addAll(Arrays.asList(MOCK_BROKERS));
            Map<String, Object> physical = new LinkedHashMap<>();
            for (String name : names) {
                for (int id : QUEUE_IDS) {
                    physical.put(name + " " + id,
                        client.instance.getBrokerNameFromMessageQueue(new MessageQueue(topic, name, id)));
                }
            }
            all.put("physical", physical);
        }

        private Object capped(int nums) throws Exception {
            client.knowing(null, route(body));
            client.producer.setDefaultTopicQueueNums(nums);
            // A configuration that cannot be read throws when the queues have been counted.
            tried(() -> client.instance.updateTopicRouteInfoFromNameServer(topic, true, client.producer));
            List<Object> queues = new ArrayList<>();
            for (QueueData queue : client.defaultRoute.getQueueDatas()) {
                queues.add(Arrays.asList(queue.getBrokerName(), queue.getPerm(), queue.getReadQueueNums(), queue.getWriteQueueNums()));
            }
            return queues;
        }
    }

    /** A client whose NameServer knows two routes, or does not know them where they are null. One for all: each has sockets. */
    private static class Client {
        final MQClientInstance instance = new MQClientInstance(new ClientConfig(), 0, "client");
        final DefaultMQProducer producer = new DefaultMQProducer("group");
        TopicRouteData route;
        TopicRouteData defaultRoute;
        private final DefaultMQProducerImpl implementation = new DefaultMQProducerImpl(producer);

        Client() throws Exception {
            MQClientAPIImpl api = new MQClientAPIImpl(new NettyClientConfig(), null, null, new ClientConfig()) {
                @Override
                public TopicRouteData getTopicRouteInfoFromNameServer(String topic, long timeout) throws MQClientException {
                    return known(route);
                }

                @Override
                public TopicRouteData getDefaultTopicRouteInfoFromNameServer(long timeout) throws MQClientException {
                    return known(defaultRoute);
                }
            };
            field(instance, "mQClientAPIImpl").set(instance, api);
            field(implementation, "mQClientFactory").set(implementation, instance);
            instance.registerProducer("group", implementation);
        }

        /** Forgets everything, and has its NameServer know these. */
        Client knowing(TopicRouteData route, TopicRouteData defaultRoute) throws Exception {
            this.route = route;
            this.defaultRoute = defaultRoute;
            producer.setDefaultTopicQueueNums(4);
            for (String table : new String[] {"topicRouteTable", "brokerAddrTable", "topicEndPointsTable"}) {
                ((Map<?, ?>) field(instance, table).get(instance)).clear();
            }
            implementation.getTopicPublishInfoTable().clear();
            return this;
        }

        /** What the producer would send by. */
        TopicPublishInfo find(String topic) throws Exception {
            Method method = DefaultMQProducerImpl.class.getDeclaredMethod("tryToFindTopicPublishInfo", String.class);
            method.setAccessible(true);
            try {
                return (TopicPublishInfo) method.invoke(implementation, topic);
            } catch (InvocationTargetException thrown) {
                throw (Exception) thrown.getCause();
            }
        }

        private static TopicRouteData known(TopicRouteData route) throws MQClientException {
            if (route == null) {
                throw new MQClientException(ResponseCode.TOPIC_NOT_EXIST, "No topic route info");
            }
            return route;
        }

        private static Field field(Object object, String name) throws Exception {
            Field field = object.getClass().getDeclaredField(name);
            field.setAccessible(true);
            return field;
        }
    }

    private static TopicRouteData route(String body) {
        return TopicRouteData.decode(body.getBytes(StandardCharsets.UTF_8), TopicRouteData.class);
    }

    private static Object published(TopicPublishInfo info) {
        Map<String, Object> published = new LinkedHashMap<>();
        published.put("isOrderTopic", info.isOrderTopic());
        published.put("queues", queues(info.getMessageQueueList()));
        return published;
    }

    private static Object queues(Collection<MessageQueue> queues) {
        List<Object> all = new ArrayList<>();
        queues.forEach(queue -> all.add(Arrays.asList(queue.getTopic(), queue.getBrokerName(), queue.getQueueId())));
        return all;
    }

    private static Object found(FindBrokerResult found) {
        return found == null ? null : Arrays.asList(found.getBrokerAddr(), found.isSlave());
    }

    private static Object tried(Callable<Object> call) {
        try {
            return call.call();
        } catch (Exception thrown) {
            Map<String, Object> exception = new LinkedHashMap<>();
            exception.put("exception", thrown.getClass().getSimpleName());
            return exception;
        }
    }
}
