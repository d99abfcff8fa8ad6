//! Who is told when a job goes into quarantine.

use super::port::{Port, status};
use crate::sink::Sink;
use serde_json::json;
use std::time::Duration;

async fn port(sink: &Sink) -> Port {
    Port::with(|config| {
        // Among several servers a jump of the clock is a standstill, after which a mail under way is sent again.
        portreeve_testbed::embedded(config);
        sink.serve(config);
    })
    .await
}

#[tokio::test]
async fn each_who_wants_to_be_told_is_told_once_of_a_quarantine() {
    let mut sink = Sink::start(1).await;
    let port = port(&sink).await;
    let mut definition = port.definition();
    definition["target"]["authentication"]["token"] = json!("wrong");
    definition["notify"] = json!(["ada@contoso.example", "grace@contoso.example"]);
    let made = port.admin().post("/applications", definition).await;
    assert_eq!(made.status, 201, "{made}");
    let bad = status(port.admin(), |status| status["code"] == "Quarantine").await;
    assert_eq!(
        bad["quarantine"]["reason"], "EncounteredQuarantineException",
        "{bad:#}"
    );
    let listed = port.admin().get("/applications").await.json;
    assert_eq!(
        listed[0]["quarantine"]["reason"],
        "EncounteredQuarantineException"
    );

    // The first is turned away for now and comes later.
    let second = sink.next().await;
    assert!(second.contains("To: grace@contoso.example"), "{second}");
    assert!(
        second.contains("Subject: Portreeve: Town is in quarantine"),
        "{second}"
    );
    port.server.clock().advance(Duration::from_secs(61));
    let first = sink.next().await;
    assert!(first.contains("To: ada@contoso.example"), "{first}");

    let token = json!({"target": port.definition()["target"]});
    port.admin().patch("/applications/town", token).await;
    port.admin()
        .post("/applications/town/start", json!({}))
        .await;
    status(port.admin(), |status| status["code"] == "Active").await;
    let events = port.events().await;
    assert_eq!(events[..2], ["local create Town", "system quarantine Town"]);
    assert!(sink.is_quiet(), "nobody is told twice");
    port.server.stop().await;
}
