//! News between processes.

use std::time::Duration;

use tokio::sync::broadcast::Receiver;

use super::super::Bed;
use super::{end_connections, named, replica};
use crate::Notice;

const PATIENCE: Duration = Duration::from_secs(20);

async fn next(news: &mut Receiver<Notice>) -> Notice {
    tokio::time::timeout(PATIENCE, news.recv())
        .await
        .unwrap()
        .unwrap()
}

fn said(text: &str) -> Notice {
    Notice::Payload(text.to_string())
}

#[tokio::test]
async fn others_hear_each_thing_and_the_speaker_does_not() {
    let bed = Bed::postgres();
    let other = replica(&bed.options);
    let (mut own, mut news) = (bed.store.notices(), other.notices());
    assert_eq!(
        next(&mut own).await,
        Notice::Missed,
        "what was said before is not known"
    );
    assert_eq!(next(&mut news).await, Notice::Missed);
    for _ in 0..50 {
        bed.store.notify("tokens".to_string());
    }
    bed.store.notify("x".repeat(8000));
    bed.store.notify("the end".to_string());
    let mut heard = Vec::new();
    while heard.last() != Some(&said("the end")) {
        heard.push(next(&mut news).await);
    }
    assert!(
        heard.len() < 10,
        "the same thing is said once for many: {heard:?}"
    );
    assert!(
        heard[..heard.len() - 1]
            .iter()
            .all(|notice| *notice == said("tokens"))
    );
    other.notify("answer".to_string());
    assert_eq!(next(&mut own).await, said("answer"), "and not one's own");
}

#[tokio::test]
async fn whoever_may_have_missed_something_is_told() {
    let bed = Bed::postgres_with(|options| options.database = named(&options.database));
    let other = replica(&bed.options);
    let mut news = other.notices();
    assert_eq!(next(&mut news).await, Notice::Missed);
    end_connections(&bed.store).await;
    assert_eq!(
        next(&mut news).await,
        Notice::Missed,
        "the connection is lost"
    );
    assert_eq!(next(&mut news).await, Notice::Missed, "there is a new one");
    bed.store.notify("again".to_string());
    assert_eq!(next(&mut news).await, said("again"));
}

#[tokio::test]
async fn an_embedded_database_has_nobody_to_tell() {
    let bed = Bed::sqlite();
    let mut news = bed.store.notices();
    bed.store.notify("anybody?".to_string());
    assert!(news.try_recv().is_err());
    assert_eq!(bed.store.now(7).await, Ok(7));
}

#[tokio::test]
async fn processes_share_the_servers_clock() {
    let bed = Bed::postgres();
    let other = replica(&bed.options);
    let (first, second) = (bed.store.now(7).await.unwrap(), other.now(7).await.unwrap());
    assert!(7 < first && first <= second, "{first} {second}");
}
