//! Laws: whatever happens in the tenant, and however its answers are cut, repeated or interrupted, who reads changes
//! knows in the end what who reads everything knows.

use portreeve_provisioning::source::{Next, Place};
use portreeve_testbed::graph::{Directory, Manner};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;

use super::world::{Known, World};

/// Something that happens in a tenant. An index chooses among whom it can happen to; if there is nobody, nothing
/// happens.
#[derive(Debug, Clone)]
enum Event {
    AddUser,
    AddGroup,
    Rename(Index, u8),
    Clear(Index),
    Manager(Index, Option<Index>),
    Join(Index, Index),
    Nest(Index, Index),
    Leave(Index, Index),
    Delete(Index),
    DeleteGroup(Index),
    Restore(Index),
    Purge(Index),
    Assign(Index, Option<Index>),
    Unassign(Index),
}

fn event() -> impl Strategy<Value = Event> {
    let any_one = any::<Index>;
    prop_oneof![
        4 => Just(Event::AddUser),
        2 => Just(Event::AddGroup),
        3 => (any_one(), any::<u8>()).prop_map(|(who, name)| Event::Rename(who, name)),
        1 => any_one().prop_map(Event::Clear),
        3 => (any_one(), any::<Option<Index>>()).prop_map(|(who, manager)| Event::Manager(who, manager)),
        6 => (any_one(), any_one()).prop_map(|(group, user)| Event::Join(group, user)),
        1 => (any_one(), any_one()).prop_map(|(group, inner)| Event::Nest(group, inner)),
        3 => (any_one(), any_one()).prop_map(|(group, user)| Event::Leave(group, user)),
        2 => any_one().prop_map(Event::Delete),
        1 => any_one().prop_map(Event::DeleteGroup),
        2 => any_one().prop_map(Event::Restore),
        1 => any_one().prop_map(Event::Purge),
        2 => (any_one(), any::<Option<Index>>()).prop_map(|(who, role)| Event::Assign(who, role)),
        1 => any_one().prop_map(Event::Unassign),
    ]
}

impl Event {
    /// Lets it happen. `roles` are those of the application.
    fn happen(&self, directory: &mut Directory, roles: &[String]) {
        let (users, groups) = (directory.users(), directory.groups());
        let one =
            |from: &[String], index: &Index| (!from.is_empty()).then(|| index.get(from).clone());
        let user = |index| one(&users, index);
        let group = |index| one(&groups, index);
        match self {
            Self::AddUser => {
                directory.add_user("somebody");
            }
            Self::AddGroup => {
                directory.add_group("some");
            }
            Self::Rename(who, name) => {
                if let Some(who) = user(who) {
                    directory.set(&who, "displayName", json!(name.to_string()));
                }
            }
            Self::Clear(who) => {
                if let Some(who) = user(who) {
                    directory.set(&who, "displayName", json!(null));
                }
            }
            Self::Manager(who, manager) => {
                if let Some(who) = user(who) {
                    let manager = manager.as_ref().and_then(user);
                    directory.set_manager(&who, manager.as_deref());
                }
            }
            Self::Join(to, who) | Self::Leave(to, who) => {
                if let (Some(to), Some(who)) = (group(to), user(who)) {
                    match self {
                        Self::Join(..) => directory.add_member(&to, &who),
                        _ => directory.remove_member(&to, &who),
                    }
                }
            }
            Self::Nest(outer, inner) => {
                if let (Some(outer), Some(inner)) = (group(outer), group(inner)) {
                    directory.add_member(&outer, &inner);
                }
            }
            _ => self.end_or_assign(directory, roles, &users, &groups),
        }
    }

    fn end_or_assign(
        &self,
        directory: &mut Directory,
        roles: &[String],
        users: &[String],
        groups: &[String],
    ) {
        let one =
            |from: &[String], index: &Index| (!from.is_empty()).then(|| index.get(from).clone());
        let all = [users, groups].concat();
        let deleted = directory.deleted();
        match self {
            Self::Delete(who) => one(users, who)
                .into_iter()
                .for_each(|who| directory.delete(&who)),
            Self::DeleteGroup(which) => one(groups, which)
                .into_iter()
                .for_each(|which| directory.delete(&which)),
            Self::Restore(who) => one(&deleted, who)
                .into_iter()
                .for_each(|who| directory.restore(&who)),
            Self::Purge(who) => one(&[&all[..], &deleted].concat(), who)
                .into_iter()
                .for_each(|who| directory.purge(&who)),
            Self::Assign(who, role) => {
                if let Some(who) = one(&all, who) {
                    let role = role.as_ref().and_then(|role| one(roles, role));
                    directory.assign(&who, role.as_deref());
                }
            }
            Self::Unassign(who) => one(&all, who)
                .into_iter()
                .for_each(|who| directory.unassign(&who)),
            _ => {}
        }
    }
}

fn manner() -> impl Strategy<Value = Manner> {
    (
        1..6_usize,
        1..4_usize,
        1..4_usize,
        any::<(bool, bool, u64)>(),
    )
        .prop_map(
            |(page_size, list_size, members_per_entry, (empty_pages, repeats, order))| Manner {
                page_size,
                list_size,
                members_per_entry,
                empty_pages,
                repeats,
                order,
            },
        )
}

/// One read: what happened before it and while it went on, how its answers are cut, and after which pages the reader
/// is killed.
#[derive(Debug, Clone)]
struct Read {
    before: Vec<Event>,
    meanwhile: Vec<Event>,
    manner: Manner,
    killed: Vec<bool>,
}

fn read() -> impl Strategy<Value = Read> {
    let events = |most| prop::collection::vec(event(), 0..most);
    (
        events(25),
        events(5),
        manner(),
        prop::collection::vec(any::<bool>(), 1..8),
    )
        .prop_map(|(before, meanwhile, manner, killed)| Read {
            before,
            meanwhile,
            manner,
            killed,
        })
}

/// Does one read to its end. A reader that is killed has heard a page, has not noted where it stands, and reads the page
/// again.
async fn go_on(
    world: &World,
    from: Place,
    known: &mut Known,
    how: &Read,
    roles: &[String],
) -> Place {
    world.graph.manner(|manner| *manner = how.manner.clone());
    let mut meanwhile = how.meanwhile.iter();
    let mut killed = how.killed.iter().cycle();
    let mut place = from;
    loop {
        let mut page = world.source.read(&place).await.unwrap();
        if let Some(event) = meanwhile.next() {
            world
                .graph
                .directory(|directory| event.happen(directory, roles));
        }
        if killed.next() == Some(&true) {
            // What a page says is kept together with the place after it, or not at all: it is read again, and may begin
            // another query, which knows nothing of what has gone meanwhile.
            page = world.source.read(&place).await.unwrap();
        }
        known.hear(&page.changes);
        match page.next {
            Next::Page(text) => place = Place::Page(text),
            Next::Watermark(text) => return Place::Since(text),
        }
    }
}

async fn changes_lead_where_everything_leads(reads: &[Read]) {
    let world = World::new().await.asking(&["manager"], &[]);
    let roles = world
        .graph
        .directory(|directory| ["admin", "guest"].map(|role| directory.add_role(Some(role), role)));
    let mut known = Known::default();
    let mut place = Place::Everything;
    for how in reads {
        world.graph.directory(|directory| {
            how.before
                .iter()
                .for_each(|event| event.happen(directory, &roles));
        });
        place = go_on(&world, place, &mut known, how, &roles).await;
    }
    let (changes, _) = world.read(&place).await.unwrap();
    known.hear(&changes);
    let (fresh, _) = world.everything().await;
    assert_eq!(known.view(), fresh.view());
    let _ = world.graph.requests();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn who_reads_changes_knows_what_who_reads_everything_knows(reads in prop::collection::vec(read(), 1..4)) {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(changes_lead_where_everything_leads(&reads));
    }
}

#[tokio::test]
async fn a_read_can_be_taken_up_from_any_of_its_pages() {
    let world = World::new().await;
    world.graph.manner(|manner| {
        manner.page_size = 2;
        manner.list_size = 2;
        manner.members_per_entry = 2;
        manner.empty_pages = true;
    });
    world.graph.directory(|directory| {
        let people: Vec<_> = (0..7)
            .map(|number| directory.add_user(&format!("user{number}")))
            .collect();
        let crew = directory.add_group("crew");
        let role = directory.add_role(Some("admin"), "admin");
        for person in &people {
            directory.add_member(&crew, person);
            directory.assign(person, Some(&role));
        }
        directory.delete(&people[6]);
    });
    let (mut places, mut heard) = (vec![Place::Everything], vec![Known::default()]);
    let mut known = Known::default();
    loop {
        let page = world.source.read(&places[places.len() - 1]).await.unwrap();
        known.hear(&page.changes);
        match page.next {
            Next::Page(text) => places.push(Place::Page(text)),
            Next::Watermark(_) => break,
        }
        heard.push(known.clone());
    }
    assert!(places.len() > 10, "{} pages", places.len());
    for (number, (place, mut resumed)) in places.iter().zip(heard).enumerate() {
        let (changes, _) = world.read(place).await.unwrap();
        resumed.hear(&changes);
        assert_eq!(resumed.view(), known.view(), "from page {number}");
    }
    let _ = world.graph.requests();
}
