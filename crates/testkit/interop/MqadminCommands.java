import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import org.apache.rocketmq.tools.command.MQAdminStartup;

/**
 * Runs many mqadmin commands in one JVM: starting one for each would take most of the time.
 *
 * Arguments: one for each command, its words separated by tabs. Prints for each a line "##### COMMAND", with blanks, and
 * then what the command printed, errors included.
 */
public class MqadminCommands {
    public static void main(String[] commands) throws Exception {
        PrintStream out = System.out;
        Thread waker = new Thread(MqadminCommands::wakeEventThreads);
        waker.setDaemon(true);
        waker.start();
        for (String command : commands) {
            ByteArrayOutputStream printed = new ByteArrayOutputStream();
            PrintStream capture = new PrintStream(printed, true, "UTF-8");
            System.setOut(capture);
            System.setErr(capture);
            MQAdminStartup.main0(command.split("\t"), null);
            out.println("##### " + command.replace('\t', ' '));
            out.println(printed.toString("UTF-8"));
        }
        // Not by returning: threads of the commands may live on for a while.
        System.exit(0);
    }

    /**
     * At its end a 5.x command waits for a thread of its client that looks every 3 s whether it is over. Woken, it looks
     * at once, and waits again if it is not.
     */
    private static void wakeEventThreads() {
        while (true) {
            Thread[] threads = new Thread[2 * Thread.activeCount()];
            int count = Thread.enumerate(threads);
            for (int index = 0; index < count; index++) {
                boolean waits = threads[index].getState() == Thread.State.TIMED_WAITING;
                if (waits && threads[index].getName().equals("NettyEventExecutor")) {
                    threads[index].interrupt();
                }
            }
            try {
                Thread.sleep(20);
            } catch (InterruptedException stop) {
                return;
            }
        }
    }
}
