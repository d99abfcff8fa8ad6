//! `portreeve stream`: receivers of security events.

use crate::program::Server;

#[test]
fn streams_come_and_go_and_show_their_secrets_once() {
    let server = Server::start();
    let off = server.run(&["directory", "create", "Contoso"]);
    assert_eq!(off.code, 0, "{off:?}");
    let refused = server.run(&["stream", "create", "--delivery", "poll"]);
    assert!(
        refused.err.contains("--security-events true"),
        "{refused:?}"
    );
    assert_eq!(refused.code, 2, "{refused:?}");
    let on = server.json(&[
        "directory",
        "update",
        "Contoso",
        "--security-events",
        "true",
    ]);
    assert_eq!(on["security_events"], true);

    let poll = server.json(&["stream", "create", "--delivery", "poll"]);
    let push = server.run_line(
        "stream create --delivery push --endpoint http://127.0.0.1:9/events --authorization receivers-own --audience receiver --content full -o json",
    );
    let push = push.json();
    let secret = poll["secret"].as_str().unwrap();
    assert!(secret.starts_with("prv_poll_"), "{poll}");
    let url = format!("http://{}/scim/", server.address);
    assert!(
        poll["poll_url"].as_str().unwrap().starts_with(&url),
        "{poll}"
    );
    assert_eq!(
        (&push["audience"], &push["content"]),
        (&"receiver".into(), &"full".into())
    );

    for words in [&["stream", "list"][..], &["event", "list"]] {
        let printed = server.json(words).to_string();
        assert!(!printed.contains(secret), "{words:?}: {printed}");
        assert!(!printed.contains("receivers-own"), "{words:?}: {printed}");
    }
    let table = server.run(&["stream", "list"]).out;
    assert!(
        table.lines().count() == 3 && table.contains("receiver"),
        "{table}"
    );

    let id = poll["id"].as_str().unwrap();
    assert_eq!(server.run(&["stream", "delete", id]).code, 0);
    let again = server.run(&["stream", "delete", id]);
    assert_eq!(again.code, 6, "{again:?}");
    assert!(again.err.contains("stream list"), "{again:?}");
    assert_eq!(
        server.json(&["stream", "list"]).as_array().unwrap().len(),
        1
    );
}
