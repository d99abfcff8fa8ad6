//! The law: whoever hears the changes knows what is there.

use std::collections::BTreeMap;

use portreeve_provisioning::source::{Change, Kind, Place};
use proptest::prelude::*;
use serde_json::json;

use super::{CSV, Desk};
use crate::reader::{Told, read};

/// Tables as they are on one day.
#[derive(Debug, Clone)]
struct Day {
    users: BTreeMap<u8, u8>,
    groups: BTreeMap<u8, u8>,
    memberships: Vec<(u8, u8)>,
}

fn days() -> impl Strategy<Value = Vec<Day>> {
    let objects = || prop::collection::btree_map(0_u8..8, 0_u8..3, 1..8);
    let day = (
        objects(),
        objects(),
        prop::collection::vec((0_u8..8, 0_u8..8), 0..20),
    );
    let day = day.prop_map(|(users, groups, memberships)| Day {
        users,
        groups,
        memberships,
    });
    prop::collection::vec(day, 1..6)
}

impl Day {
    fn write(&self, desk: &Desk) {
        let table = |prefix: &str, objects: &BTreeMap<u8, u8>| {
            let rows = objects
                .iter()
                .map(|(key, name)| format!("{prefix}{key},{name}\n"));
            format!("id,name\n{}", rows.collect::<String>())
        };
        desk.write("users.csv", table("u", &self.users));
        desk.write("groups.csv", table("g", &self.groups));
        let rows = self
            .memberships
            .iter()
            .map(|(group, user)| format!("g{group},u{user}\n"));
        desk.write(
            "memberships.csv",
            format!("group,member\n{}", rows.collect::<String>()),
        );
    }

    fn truth(&self) -> Told {
        let mut truth = Told::default();
        for (kind, prefix, objects) in [
            (Kind::User, "u", &self.users),
            (Kind::Group, "g", &self.groups),
        ] {
            for (key, name) in objects {
                let key = format!("{prefix}{key}");
                let attributes = json!({"id": key, "name": name.to_string()});
                truth
                    .objects
                    .insert((kind, key), attributes.as_object().unwrap().clone());
            }
        }
        for (group, user) in &self.memberships {
            if self.groups.contains_key(group) && self.users.contains_key(user) {
                truth
                    .memberships
                    .insert((format!("g{group}"), format!("u{user}")));
            }
        }
        truth
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whoever hears the changes of each day knows what is in the files, also if some read had to be done twice.
    #[test]
    fn changes_heard_day_after_day_add_up_to_what_is_there(days in days(), twice in any::<u8>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let desk = Desk::new();
            let source = desk.source(&format!("{CSV}keep_at_least = 0\n"));
            let mut told = Told::default();
            let mut mark = Place::Everything;
            for (at, day) in days.iter().enumerate() {
                day.write(&desk);
                if twice & (1 << at) != 0 {
                    // Killed before the watermark was stored.
                    let (changes, _) = read(&source, &mark).await.unwrap();
                    told.hear(&usable(changes));
                }
                let (changes, next) = read(&source, &mark).await.unwrap();
                told.hear(&usable(changes));
                assert_eq!(&told, &day.truth(), "day {at}");
                mark = next;
            }
        });
    }
}

/// Without the complaints about memberships of nobody.
fn usable(mut changes: Vec<Change>) -> Vec<Change> {
    changes.retain(|change| !matches!(change, Change::Unusable { .. }));
    changes
}
