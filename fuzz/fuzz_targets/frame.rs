#![no_main]

use rocketmq_nameserver_testkit::hostile::frame::check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check(bytes));
