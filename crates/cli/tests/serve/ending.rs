//! How it ends.

use std::net::{TcpListener, TcpStream};

use rustix::process::Signal;

use crate::process::Serving;

#[test]
fn ctrl_c_and_sigterm_end_it_with_success_and_free_the_port() {
    for signal in [Signal::INT, Signal::TERM] {
        let server = Serving::start(&[]);
        let address = server.address().to_owned();
        // A connection that stays open does not hold it up.
        let open = TcpStream::connect(&address).expect("it listens");
        server.signal(signal);
        assert_eq!(server.wait(), (Some(0), String::new(), String::new()), "{signal:?}");
        assert!(TcpListener::bind(&address).is_ok(), "{signal:?}");
        drop(open);
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let server = Serving::start(&[]);
    // It sees both when it goes on, so that the first has no time to end it.
    server.signal(Signal::STOP);
    server.signal(Signal::INT);
    server.signal(Signal::TERM);
    server.signal(Signal::CONT);
    let (code, _, _) = server.wait();
    // 128 and the number of that which came second.
    assert!(matches!(code, Some(130 | 143)), "{code:?}");
}

#[test]
fn it_serves_on_when_nobody_reads_its_output() {
    let mut server = Serving::start(&["-v"]);
    server.close_pipes();
    assert!(server.ask(&["cluster"]).starts_with("0 clusters"));
    server.signal(Signal::TERM);
    assert_eq!(server.wait().0, Some(0));
}
