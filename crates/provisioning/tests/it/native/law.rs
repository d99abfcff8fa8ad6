//! The law: whoever hears the changes knows what is there.

use portreeve_directory::directories::{GroupRemoval, UserRemoval};
use portreeve_directory::users::Precondition;
use portreeve_directory::{local_members, suspensions};
use portreeve_provisioning::source::{Next, Place, Source};
use proptest::prelude::*;
use serde_json::json;

use super::world::Office;
use crate::reader::Told;

/// What happens in a directory. What cannot happen does not.
#[derive(Debug, Clone)]
enum Event {
    Come(u8),
    Retitle(u8, u8, bool),
    Answer(u8, u8),
    Go(u8),
    /// A group is made, or has other members.
    Gather(u8, Vec<u8>),
    Disband(u8),
    /// Somebody is added to a group beside what the provider says, or that is taken back.
    Add(u8, u8, bool),
    /// Somebody is suspended whatever the provider says, or that is taken back.
    Bar(u8, bool),
    /// One page is read.
    Page,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let who = || 0_u8..5;
    let event = prop_oneof![
        3 => who().prop_map(Event::Come),
        2 => (who(), 0_u8..3, any::<bool>()).prop_map(|(who, title, active)| Event::Retitle(who, title, active)),
        1 => (who(), who()).prop_map(|(who, manager)| Event::Answer(who, manager)),
        2 => who().prop_map(Event::Go),
        4 => (0_u8..3, prop::collection::vec(0_u8..8, 0..4)).prop_map(|(group, members)| Event::Gather(group, members)),
        2 => (0_u8..3).prop_map(Event::Disband),
        2 => (0_u8..3, who(), any::<bool>()).prop_map(|(group, who, is_in)| Event::Add(group, who, is_in)),
        1 => (who(), any::<bool>()).prop_map(|(who, out)| Event::Bar(who, out)),
        6 => Just(Event::Page),
    ];
    prop::collection::vec(event, 1..50)
}

/// The ids of those who are there, by number.
#[derive(Default)]
struct There {
    users: [Option<String>; 5],
    groups: [Option<String>; 3],
}

impl There {
    async fn happen(&mut self, office: &Office, event: &Event) {
        let user =
            |title: u8, who: u8| json!({"userName": format!("u{who}"), "title": title.to_string()});
        // What the directory refuses (a group in itself, a suspended user made anew) has not happened.
        match event {
            Event::Page => {}
            Event::Add(..) | Event::Bar(..) => self.decide(office, event).await,
            Event::Come(who) => {
                if let Ok(id) = office.user(user(0, *who)).await {
                    self.users[usize::from(*who)] = Some(id);
                }
            }
            Event::Retitle(who, title, active) => {
                if let Some(id) = &self.users[usize::from(*who)] {
                    let mut body = user(*title, *who);
                    body["active"] = json!(active);
                    let _ = office.put_user(id, body).await;
                }
            }
            Event::Answer(who, manager) => {
                let manager = &self.users[usize::from(*manager)];
                if let (Some(id), Some(manager)) = (&self.users[usize::from(*who)], manager) {
                    let mut body = user(9, *who);
                    body[portreeve_scim::schema::ENTERPRISE] =
                        json!({"manager": {"value": manager}});
                    let _ = office.put_user(id, body).await;
                }
            }
            Event::Go(who) => {
                if let Some(id) = self.users[usize::from(*who)].clone() {
                    let _ = office.drop_user(&id).await;
                    if office.directory.settings.users == UserRemoval::Delete {
                        self.users[usize::from(*who)] = None;
                    }
                }
            }
            Event::Gather(group, members) => {
                let ids: Vec<&str> = members.iter().filter_map(|at| self.id(*at)).collect();
                let name = format!("g{group}");
                match &self.groups[usize::from(*group)] {
                    Some(id) => drop(office.put_group(id, &name, &ids).await),
                    None => {
                        let made = office.group(&name, &ids).await;
                        self.groups[usize::from(*group)] = made.ok();
                    }
                }
            }
            Event::Disband(group) => {
                if let Some(id) = self.groups[usize::from(*group)].take() {
                    let _ = office.drop_group(&id).await;
                }
            }
        }
    }

    /// What is decided here, beside what the provider says.
    async fn decide(&self, office: &Office, event: &Event) {
        match event {
            Event::Add(group, who, is_in) => {
                let group = self.groups[usize::from(*group)].clone();
                let user = self.users[usize::from(*who)].clone();
                let (Some(group), Some(user), is_in) = (group, user, *is_in) else {
                    return;
                };
                let done = office.write(move |tx, call| match is_in {
                    true => local_members::add(tx, call, &group, &user, None).map(drop),
                    false => local_members::remove(tx, call, &group, &user).map(drop),
                });
                let _ = done.await;
            }
            Event::Bar(who, out) => {
                let (Some(user), out) = (self.users[usize::from(*who)].clone(), *out) else {
                    return;
                };
                let any = Precondition::None;
                let done = office.write(move |tx, call| match out {
                    true => suspensions::suspend(tx, call, &user, &any).map(drop),
                    false => suspensions::reinstate(tx, call, &user, &any).map(drop),
                });
                let _ = done.await;
            }
            _ => {}
        }
    }

    fn id(&self, at: u8) -> Option<&str> {
        let at = usize::from(at);
        let named = self.users.get(at).or_else(|| self.groups.get(at - 5));
        named?.as_deref()
    }
}

/// Reads a page. True at the end of a read.
async fn page(source: &Source, place: &mut Place, told: &mut Told) -> bool {
    let page = source.read(place).await.unwrap();
    told.hear(&page.changes);
    let (next, end) = match page.next {
        Next::Page(at) => (Place::Page(at), false),
        Next::Watermark(at) => (Place::Since(at), true),
    };
    *place = next;
    end
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whoever hears the changes knows what somebody knows who reads everything, whatever happens between two pages.
    #[test]
    fn changes_add_up_to_what_is_there(events in events(), kept in any::<(bool, bool)>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(adds_up(&events, kept));
    }
}

/// `kept`: whether users, and groups, are kept when they are deleted.
async fn adds_up(events: &[Event], kept: (bool, bool)) {
    let office = Office::with(|rules| {
        rules.users = match kept.0 {
            true => UserRemoval::Suspend,
            false => UserRemoval::Delete,
        };
        rules.groups = match kept.1 {
            true => GroupRemoval::Keep,
            false => GroupRemoval::Delete,
        };
    })
    .await;
    let source = office.source();
    let (mut there, mut told, mut place) = (There::default(), Told::default(), Place::Everything);
    for event in events {
        there.happen(&office, event).await;
        if matches!(event, Event::Page) {
            page(&source, &mut place, &mut told).await;
        }
    }
    // What the read under way does not know yet comes with the next one.
    while !page(&source, &mut place, &mut told).await {}
    while !page(&source, &mut place, &mut told).await {}
    assert_eq!(told, office.truth().await);
}

#[tokio::test]
async fn a_group_that_has_come_back_is_a_member_of_one_that_comes_before_it() {
    let events = [
        Event::Gather(1, vec![]),
        Event::Gather(2, vec![]),
        Event::Page,
        Event::Disband(2),
        Event::Gather(2, vec![]),
        Event::Gather(1, vec![7]),
    ];
    adds_up(&events, (false, true)).await;
}
