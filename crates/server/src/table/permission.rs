//! 205 and 327: a broker stops or starts to be written to (`docs/wire.md` §2.6).

use rocketmq_nameserver_protocol::model::{Name, Perm};

use super::{Table, without_write};

impl Table {
    /// 205: takes the write bit from all topics of a broker; how many have the broker, changed or not.
    pub(crate) fn wipe_write_perm(&mut self, broker_name: &Name) -> u32 {
        self.change_perm(broker_name, without_write)
    }

    /// 327: lets all topics of a broker be read and written, whatever they had.
    pub(crate) fn add_write_perm(&mut self, broker_name: &Name) -> u32 {
        self.change_perm(broker_name, |_| Perm::READ_WRITE)
    }

    fn change_perm(&mut self, broker_name: &Name, change: impl Fn(Perm) -> Perm) -> u32 {
        let mut count = 0;
        for queue in self.topics.values_mut().filter_map(|queues| queues.get_mut(broker_name)) {
            queue.perm = change(queue.perm);
            count += 1;
        }
        self.routes_changed = true;
        count
    }
}
