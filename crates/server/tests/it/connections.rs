//! Connections that do nothing, or next to nothing, and those that want to get through all the same.

use crate::talk::{Directory, Server, connect, head, read_some};
use portreeve_server::config::Patience;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

fn with_places(connections: usize) -> Server {
    Server::start_with(Patience {
        connections,
        ..Patience::default()
    })
}

/// Sends a request whose answer needs no database, and reads it.
fn asks(stream: &mut TcpStream, directory: &Directory<'_>) {
    let request = head(directory, "GET /Me", "");
    stream.write_all(request.as_bytes()).unwrap();
    let answer = read_some(stream);
    assert!(answer.starts_with("HTTP/1.1 501"), "{answer}");
}

/// Sends a request up to where the server waits for its body.
fn begins(stream: &mut TcpStream, directory: &Directory<'_>) {
    let request = head(
        directory,
        "POST /Users",
        "Content-Length: 18\r\nExpect: 100-continue\r\n",
    );
    stream.write_all(request.as_bytes()).unwrap();
    let answer = read_some(stream);
    assert!(answer.starts_with("HTTP/1.1 100"), "{answer}");
}

/// Sends the body of that request.
fn ends(stream: &mut TcpStream) {
    stream.write_all(br#"{"userName":"ann"}"#).unwrap();
}

#[test]
fn who_comes_when_all_places_are_taken_gets_that_of_the_connection_idle_for_longest() {
    let server = with_places(2);
    let directory = server.directory("generic", None);
    let [mut first, mut second] = [(); 2].map(|()| connect(&server));
    asks(&mut first, &directory);
    asks(&mut second, &directory);
    asks(&mut first, &directory);
    let mut third = connect(&server);
    asks(&mut third, &directory);
    assert_eq!(read_some(&mut second), "", "the second was idle for longer");
    asks(&mut first, &directory);
    asks(&mut third, &directory);
}

#[test]
fn a_connection_that_sends_its_headers_slowly_has_no_place_of_its_own() {
    let server = with_places(10);
    let directory = server.directory("generic", None);
    let request = head(&directory, "GET /Me", "");
    let mut slow: Vec<TcpStream> = (0..50)
        .map(|i| {
            let mut stream = connect(&server);
            let part = if i % 2 == 0 { 0 } else { request.len() / 2 };
            stream.write_all(&request.as_bytes()[..part]).unwrap();
            stream
        })
        .collect();
    asks(&mut connect(&server), &directory);
    assert_eq!(read_some(&mut slow[0]), "", "the first has left");
    assert_eq!(read_some(&mut slow[39]), "", "and so have most");
}

#[test]
fn who_comes_when_all_are_at_work_is_served_when_one_has_finished() {
    let server = with_places(2);
    let directory = server.directory("generic", None);
    let [mut first, mut second] = [(); 2].map(|()| connect(&server));
    begins(&mut first, &directory);
    begins(&mut second, &directory);
    let mut third = connect(&server);
    let request = head(&directory, "GET /Me", "");
    third.write_all(request.as_bytes()).unwrap();
    third
        .set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    assert!(third.read(&mut [0]).is_err(), "there is no place yet");
    ends(&mut second);
    let answer = read_some(&mut second);
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    third
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    assert!(read_some(&mut third).starts_with("HTTP/1.1 501"));
    ends(&mut first);
    let answer = read_some(&mut first);
    assert!(
        answer.starts_with("HTTP/1.1 409"),
        "what is at work goes on to its end: {answer}"
    );
}

#[test]
fn a_connection_without_a_request_is_closed_after_a_while() {
    let server = Server::start_with(Patience {
        head: Duration::from_millis(200),
        ..Patience::default()
    });
    let directory = server.directory("generic", None);
    let request = head(&directory, "GET /Me", "");
    for (name, asks_first, part) in [
        ("idle from the start", false, 0),
        ("idle after a request", true, 0),
        ("half the headers", false, request.len() / 2),
    ] {
        let mut stream = connect(&server);
        if asks_first {
            asks(&mut stream, &directory);
        }
        stream.write_all(&request.as_bytes()[..part]).unwrap();
        assert_eq!(read_some(&mut stream), "", "{name}");
    }
}
