//! RocketMQ NameServer client.
