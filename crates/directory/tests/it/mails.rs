//! Mails that wait to be sent.

use crate::engine::{Engine, on_each_engine};
use crate::world::World;
use portreeve_directory::mails::{self, Mail, New};

on_each_engine! {
    a_mail_waits_until_it_was_sent
}

/// Attempts are put off until then at most.
const LATEST: i64 = 1000;

impl World {
    /// The ids of the mails that are due.
    fn due(&self, now: i64) -> Vec<String> {
        let due = self.read(move |tx| mails::due(tx, "t1", (now, LATEST), 10));
        due.unwrap().into_iter().map(|mail| mail.id).collect()
    }
}

fn a_mail_waits_until_it_was_sent(on: Engine) {
    let world = World::new(on);
    assert!(world.read(mails::teams).unwrap().is_empty());
    for id in ["a", "b", "c"] {
        let add = move |tx: &mut portreeve_store::Tx<'_>| {
            let new = New {
                id,
                recipient: "ada@contoso.example",
                subject: "Quarantine",
                body: "The job is in quarantine.\n",
            };
            mails::add(tx, "t1", &new, 7)
        };
        world.write(move |tx, _| add(tx)).unwrap();
    }
    assert_eq!(world.read(mails::teams).unwrap(), ["t1"]);
    assert_eq!(world.due(0), ["a", "b", "c"]);
    world
        .write(|tx, _| {
            mails::failed(tx, "t1", "a", "nobody answers", 500)?;
            mails::failed(tx, "t1", "b", "by a wrong clock", LATEST + 1)
        })
        .unwrap();
    assert_eq!(world.due(499), ["b", "c"], "its time has not come");
    assert_eq!(world.due(500), ["a", "b", "c"]);
    let due = world.read(|tx| mails::due(tx, "t1", (500, LATEST), 1));
    let expected = Mail {
        id: "a".to_owned(),
        recipient: "ada@contoso.example".to_owned(),
        subject: "Quarantine".to_owned(),
        body: "The job is in quarantine.\n".to_owned(),
        attempts: 1,
        next_attempt_at: 500,
        last_error: Some("nobody answers".to_owned()),
        created_at: 7,
    };
    assert_eq!(due.unwrap(), [expected]);
    for id in ["a", "b", "c"] {
        world.write(move |tx, _| mails::done(tx, "t1", id)).unwrap();
    }
    assert!(world.due(500).is_empty());
    assert!(world.read(mails::teams).unwrap().is_empty());
}
