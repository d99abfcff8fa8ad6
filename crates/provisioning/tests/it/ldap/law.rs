//! The law: whoever hears the changes knows what is there.

use portreeve_provisioning::source::Place;
use proptest::prelude::*;

use super::town::{Ear, Town, group, person};

/// What happens in a directory.
#[derive(Debug, Clone)]
enum Event {
    Come(u8),
    Go(u8),
    Retitle(u8, u8),
    Answer(u8, u8),
    Gather(u8, Vec<u8>),
    Disband(u8),
    Read,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let who = || 0_u8..5;
    let event = prop_oneof![
        3 => who().prop_map(Event::Come),
        2 => who().prop_map(Event::Go),
        1 => (who(), any::<u8>()).prop_map(|(who, title)| Event::Retitle(who, title)),
        1 => (who(), who()).prop_map(|(who, manager)| Event::Answer(who, manager)),
        3 => (0_u8..3, prop::collection::vec(0_u8..8, 1..4)).prop_map(|(group, members)| Event::Gather(group, members)),
        1 => (0_u8..3).prop_map(Event::Disband),
        4 => Just(Event::Read),
    ];
    prop::collection::vec(event, 1..40)
}

impl Town {
    /// Makes an event happen; what cannot happen does not.
    async fn happen(&mut self, event: &Event) {
        let member = |at: &u8| match at {
            0..5 => person(&format!("p{at}")),
            _ => group(&format!("g{}", at - 5)),
        };
        use ldap3::Mod::Replace;
        let replace = |name, values: Vec<String>| vec![Replace(name, values.into_iter().collect())];
        let _ = match event {
            Event::Come(who) => {
                let name = format!("p{who}");
                let of = |value: &str| std::collections::HashSet::from([value.to_owned()]);
                let entry = [
                    ("objectClass", "inetOrgPerson"),
                    ("cn", &name),
                    ("sn", &name),
                ];
                let entry = entry.map(|(key, value)| (key.to_owned(), of(value)));
                self.admin.add(&person(&name), entry.to_vec()).await
            }
            Event::Go(who) => self.admin.delete(&person(&format!("p{who}"))).await,
            Event::Retitle(who, title) => {
                let change = replace("title".to_owned(), vec![title.to_string()]);
                self.admin.modify(&person(&format!("p{who}")), change).await
            }
            Event::Answer(who, manager) => {
                let change = replace("manager".to_owned(), vec![person(&format!("p{manager}"))]);
                self.admin.modify(&person(&format!("p{who}")), change).await
            }
            Event::Gather(name, members) => {
                let dn = group(&format!("g{name}"));
                let members: std::collections::HashSet<String> =
                    members.iter().map(member).collect();
                let class = std::collections::HashSet::from(["groupOfNames".to_owned()]);
                let entry = vec![
                    ("objectClass".to_owned(), class),
                    ("member".to_owned(), members.clone()),
                ];
                let added = self.admin.add(&dn, entry).await;
                match added {
                    Ok(result) if result.rc == 68 => {
                        let change = vec![Replace("member".to_owned(), members)];
                        self.admin.modify(&dn, change).await
                    }
                    other => other,
                }
            }
            Event::Disband(name) => self.admin.delete(&group(&format!("g{name}"))).await,
            Event::Read => return,
        }
        .unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Whoever hears the changes knows what somebody knows who reads everything.
    #[test]
    fn changes_add_up_to_what_is_there(events in events(), nested in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut town = Town::new().await;
            let more = format!("expand_nested_groups = {nested}\nkeep_at_least = 0\n");
            let source = town.source(&more);
            let (mut ear, mut place) = (Ear::default(), Place::Everything);
            for event in events.iter().chain([&Event::Read]) {
                town.happen(event).await;
                if matches!(event, Event::Read) {
                    ear.hear(&source, &mut place).await;
                    let afresh = tempfile::tempdir().unwrap();
                    let afresh = crate::reader::source(&town.settings(&more), afresh.path(), &town.time).unwrap();
                    let mut truth = Ear::default();
                    truth.hear(&afresh, &mut Place::Everything.clone()).await;
                    assert!(ear.told == truth.told, "after {event:?}");
                }
            }
        });
    }
}
