import com.alibaba.fastjson2.JSON;
import com.alibaba.fastjson2.JSONObject;
import com.alibaba.fastjson2.JSONWriter;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.rocketmq.client.ClientConfig;
import org.apache.rocketmq.client.Validators;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.common.MixAll;
import org.apache.rocketmq.common.topic.TopicValidator;
import org.apache.rocketmq.remoting.protocol.NamespaceUtil;

/**
 * What Java's client makes of names.
 *
 * Argument: a file with a line of JSON for each case: "namespace" and "name". Prints a line of JSON for each.
 */
public class NameRules {
    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, "UTF-8");
        for (String line : Files.readAllLines(Paths.get(arguments[0]), StandardCharsets.UTF_8)) {
            JSONObject input = JSON.parseObject(line);
            Map<String, Object> all = derived(input.getString("namespace"), input.getString("name"));
            out.println(JSON.toJSONString(all, JSONWriter.Feature.WriteNulls));
        }
    }

    private static Map<String, Object> derived(String namespace, String name) {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("wrapped", NamespaceUtil.wrapNamespace(namespace, name));
        all.put("wrappedRetry", NamespaceUtil.wrapNamespaceAndRetry(namespace, name));
        all.put("without", NamespaceUtil.withoutNamespace(name));
        all.put("withoutThis", NamespaceUtil.withoutNamespace(name, namespace));
        all.put("namespace", NamespaceUtil.getNamespaceFromResource(name));
        all.put("retryTopic", MixAll.getRetryTopic(name));
        all.put("dlqTopic", MixAll.getDLQTopic(name));
        all.put("isRetryTopic", NamespaceUtil.isRetryTopic(name));
        all.put("isDlqTopic", NamespaceUtil.isDLQTopic(name));
        all.put("isSystemTopic", TopicValidator.isSystemTopic(name));
        all.put("isSystemGroup", MixAll.isSysConsumerGroup(name));
        all.put("checkTopic", checked(() -> Validators.checkTopic(name)));
        all.put("checkGroup", checked(() -> Validators.checkGroup(name)));
        for (boolean stream : new boolean[] {false, true}) {
            ClientConfig config = new ClientConfig();
            config.setClientIP("10.0.0.9");
            config.setInstanceName(name);
            config.setUnitName(namespace);
            config.setEnableStreamRequestType(stream);
            all.put(stream ? "streamClientId" : "clientId", config.buildMQClientId());
        }
        return all;
    }

    private interface Check {
        void run() throws MQClientException;
    }

    private static String checked(Check check) {
        try {
            check.run();
            return "fine";
        } catch (MQClientException thrown) {
            String message = thrown.getErrorMessage();
            for (String word : new String[] {"blank", "longer", "illegal"}) {
                // Before the name itself, which may be anything.
                if (message.split("\\[", 2)[0].contains(word) || (word.equals("illegal") && message.contains("] contains illegal"))) {
                    return word;
                }
            }
            return message;
        }
    }
}
