//! What hosts are told, by two servers of one database: one follows the changes, and hosts wait at either.

use super::*;
use crate::agents::world::{Machine, World};

#[tokio::test]
async fn a_host_that_waits_at_one_server_hears_of_a_change_at_another() {
    let harbour = Harbour::new();
    let here = World::on(harbour.server().await).await;
    let there = harbour.server().await;
    there.clock().set(here.now().as_microsecond());
    let machine = Machine::new("web-1");
    let mut host = here.enrol(&machine, &json!({})).await;
    let (_, tag) = host.until(None, Some(true)).await;
    host.agent = here.known_to(&there, &machine, &host.answer["identity"]);
    // The same policy, whoever is asked.
    let same = host.policy(Some(&tag), 0).await;
    assert_eq!(same.status, 304, "{same}");
    let found = there.admin().get("/directories").await;
    let user = format!("/directories/{}/users/ada", text(&found.json[0], "id"));
    let (left, _) = tokio::join!(
        host.until(Some(tag), Some(false)),
        here.admin().patch(&user, json!({"status": "suspended"}))
    );
    // It goes on when the server is gone that has followed the changes so far.
    here.server.stop().await;
    let (back, _) = tokio::join!(
        host.until(Some(left.1), Some(true)),
        there.admin().patch(&user, json!({"status": "active"}))
    );
    assert_eq!(back.0["accounts"][0]["name"], "ada");
    there.stop().await;
}

fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name].as_str().expect("text")
}
