//! The socket between the halves.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;

use portreeve_host::apply::{Half, Listener, Machine, serve};
use portreeve_host::config::Backend;
use portreeve_host::wire::{Answer, Request};

use super::ground::{Ground, document, now};

fn say(ground: &Ground, line: &[u8]) -> String {
    let mut stream = UnixStream::connect(ground.paths.apply_socket()).unwrap();
    stream.write_all(line).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn one_line_asks_and_one_answers() {
    let ground = Ground::new(Backend::Userdb);
    std::fs::create_dir_all(ground.paths.run()).unwrap();
    let listener = Listener {
        socket: UnixListener::bind(ground.paths.apply_socket()).unwrap(),
        peer: None,
    };
    let mut half = Half::new(ground.paths.clone(), Machine::below(&ground.paths));
    // It ends with the tests.
    thread::spawn(move || serve(&listener, &mut half, now));

    let apply = Request::Apply(ground.sign(&document(&ground.key)));
    let mut line = serde_json::to_vec(&apply).unwrap();
    line.push(b'\n');
    let cases = [
        ("a document", line.as_slice(), "\"done\"\n"),
        ("no JSON", b"what?\n", "{\"refused\":{\"code\":\"request\""),
        (
            "nothing known",
            b"{\"be\": {}}\n",
            "{\"refused\":{\"code\":\"request\"",
        ),
        ("nothing at all", b"", "{\"refused\":{\"code\":\"request\""),
        (
            "bytes",
            &[0xff; 100_000],
            "{\"refused\":{\"code\":\"request\"",
        ),
        (
            "a question",
            b"{\"state\": {}}\n",
            "{\"state\":{\"applied\":{\"version\":1",
        ),
    ];
    for (name, asked, answered) in cases {
        let answer = say(&ground, asked);
        assert!(answer.starts_with(answered), "{name}: {answer}");
        assert!(answer.ends_with('\n'), "{name}");
        serde_json::from_str::<Answer>(&answer).unwrap();
    }
}
