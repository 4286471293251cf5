//! An embeddable RocketMQ NameServer.
