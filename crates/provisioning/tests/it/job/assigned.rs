//! Who is assigned, in a tenant of Entra: directly, by a group, with a role; and Entra's deprovisioning matrix.

use std::path::Path;

use jiff::Timestamp;
use portreeve_provisioning::application::{Application, Definition};
use portreeve_provisioning::engine::steps::{Initiator, InitiatorType};
use portreeve_provisioning::job::{Job, OnDemandResult, Progress, Stop, Summary};
use portreeve_provisioning::source::graph::Graph;
use portreeve_provisioning::source::{Kind, Source};
use portreeve_provisioning::target::Limits;
use portreeve_testbed::graph::{Directory, GraphServer};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::world::World;
use crate::graph::world::{Time, home, settings};

const DEFINITION: &str = r#"
name = "App"
scope = "assigned"
RULES

[source]
type = "graph"
tenant = "contoso.example"
client_id = "6731de76-14a6-49ae-97bc-6eba6914391e"
client_secret = "hush"
service_principal = "f3a8cc6e-8d4b-4a4a-9d1b-0c7c0f6d8f11"

[target]
url = "https://app.example/scim"
authentication = { type = "bearer", token = "hush" }

[[mappings]]
source = "User"
target = "User"
attributeMappings = [
    { target = "userName", attribute = "userPrincipalName", matchingPriority = 1 },
    { target = "active", expression = 'Switch([IsSoftDeleted], , "False", "True", "True", "False")' },
    { target = "displayName", attribute = "displayName" },
]

[[mappings]]
source = "Group"
target = "Group"
attributeMappings = [
    { target = "displayName", attribute = "displayName", matchingPriority = 1 },
    { target = "members", attribute = "members" },
]
"#;

struct Tenant {
    world: World,
    graph: GraphServer,
}

impl Tenant {
    async fn new(rules: &str) -> Self {
        let mut world = World::new().await;
        world.application = application(rules);
        Self {
            world,
            graph: GraphServer::start().await,
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut Directory) -> T) -> T {
        self.graph.directory(change)
    }

    fn job(&self) -> Job {
        let time = Time::new(self.graph.clock());
        let source = Graph::new(&settings(&self.graph, &[]), &home(&time), Limits::default());
        let source = Source::Graph(source.unwrap()).asking(&self.world.application.asked());
        self.world.job_of(source)
    }

    async fn cycle(&self) -> Summary {
        let (progress, _) = watch::channel(Progress::new(Timestamp::UNIX_EPOCH));
        let cycle = self.job();
        cycle.cycle(&progress, &Stop::default()).await.unwrap()
    }

    async fn on_demand(&self, kind: Kind, key: &str) -> OnDemandResult {
        let asked = json!({"kind": kind, "object": key});
        let asked = serde_json::from_value(asked).unwrap();
        let admin = Initiator {
            id: "u9".to_owned(),
            display_name: "Grace".to_owned(),
            initiator_type: InitiatorType::User,
        };
        self.job().on_demand(&asked, admin).await.unwrap().result
    }

    /// The people whom the application has, with a stroke behind those who are disabled, and its groups.
    async fn after_a_cycle(&self) -> Value {
        let summary = self.cycle().await;
        assert_eq!(summary.error, None);
        let there = self.world.there();
        let mut people = Vec::new();
        let mut groups = Vec::new();
        for (name, shown) in there.as_object().unwrap() {
            match (name.split_once('@'), shown["active"] == false) {
                (Some((person, _)), true) => people.push(format!("{person}-")),
                (Some((person, _)), false) => people.push(person.to_owned()),
                (None, _) => groups.push(name.clone()),
            }
        }
        json!([people, groups])
    }
}

fn application(rules: &str) -> Application {
    let definition = Definition::from_toml(&DEFINITION.replace("RULES", rules)).unwrap();
    definition.compile("app", Path::new("/nowhere")).unwrap()
}

/// A change of the tenant, and what the application has after the next cycle.
type Case<'a> = (&'static str, Box<dyn Fn(&mut Directory) + 'a>, Value);

/// One after the other, along Entra's matrix. Bob and at times Cy are in the group Sales.
fn arrivals<'a>(ada: &'a str, cy: &'a str, sales: &'a str) -> Vec<Case<'a>> {
    vec![
        (
            "somebody",
            Box::new(move |it| it.assign(ada, None)),
            json!([["ada"], []]),
        ),
        (
            "a group with its people",
            Box::new(move |it| it.assign(sales, None)),
            json!([["ada", "bob"], ["Sales"]]),
        ),
        (
            "who joins the group",
            Box::new(move |it| it.add_member(sales, cy)),
            json!([["ada", "bob", "cy"], ["Sales"]]),
        ),
        (
            "who leaves the group",
            Box::new(move |it| it.remove_member(sales, cy)),
            json!([["ada", "bob", "cy-"], ["Sales"]]),
        ),
        (
            "who comes back",
            Box::new(move |it| it.add_member(sales, cy)),
            json!([["ada", "bob", "cy"], ["Sales"]]),
        ),
    ]
}

/// And on from there, until nobody is left who follows.
fn goodbyes<'a>(ada: &'a str, bob: &'a str, cy: &'a str, sales: &'a str) -> Vec<Case<'a>> {
    vec![
        (
            "in the recycle bin",
            Box::new(move |it| it.delete(cy)),
            json!([["ada", "bob", "cy-"], ["Sales"]]),
        ),
        (
            "out of it",
            Box::new(move |it| it.restore(cy)),
            json!([["ada", "bob", "cy"], ["Sales"]]),
        ),
        (
            "purged",
            Box::new(move |it| {
                it.delete(cy);
                it.purge(cy);
            }),
            json!([["ada", "bob"], ["Sales"]]),
        ),
        (
            "the group is not assigned any more",
            Box::new(move |it| it.unassign(sales)),
            json!([["ada", "bob-"], []]),
        ),
        (
            "who is not managed any more is not deleted either",
            Box::new(move |it| {
                it.delete(bob);
                it.purge(bob);
            }),
            json!([["ada", "bob-"], []]),
        ),
        (
            "not assigned directly any more",
            Box::new(move |it| it.unassign(ada)),
            json!([["ada-", "bob-"], []]),
        ),
    ]
}

#[tokio::test]
async fn assignments_decide_who_comes_and_who_goes() {
    let tenant = Tenant::new("").await;
    let (ada, bob, cy, sales) = tenant.change(|it| {
        let (ada, bob, cy) = (it.add_user("ada"), it.add_user("bob"), it.add_user("cy"));
        let sales = it.add_group("Sales");
        it.add_member(&sales, &bob);
        (ada, bob, cy, sales)
    });
    assert_eq!(tenant.after_a_cycle().await, json!([[], []]), "nobody");
    let arrivals = arrivals(&ada, &cy, &sales).into_iter();
    for (name, edit, expected) in arrivals.chain(goodbyes(&ada, &bob, &cy, &sales)) {
        tenant.change(|it| edit(it));
        assert_eq!(tenant.after_a_cycle().await, expected, "{name}");
        assert_eq!(tenant.cycle().await.requests, 0, "{name}: nothing is left");
    }
}

#[tokio::test]
async fn groups_within_an_assigned_group_count_only_where_they_are_expanded() {
    for (rules, expected) in [
        ("", json!([["ada"], ["Sales"]])),
        (
            "expand_nested_groups = true",
            json!([["ada", "bob"], ["Sales"]]),
        ),
    ] {
        let tenant = Tenant::new(rules).await;
        tenant.change(|it| {
            let (ada, bob) = (it.add_user("ada"), it.add_user("bob"));
            let (sales, inner) = (it.add_group("Sales"), it.add_group("Inner"));
            it.add_member(&sales, &ada);
            it.add_member(&sales, &inner);
            it.add_member(&inner, &bob);
            it.assign(&sales, None);
        });
        assert_eq!(tenant.after_a_cycle().await, expected, "{rules}");
    }
}

#[tokio::test]
async fn a_required_role_may_come_by_any_assignment() {
    let tenant = Tenant::new(r#"required_roles = ["admin"]"#).await;
    let (ada, sales, admin) = tenant.change(|it| {
        let (admin, guest) = (
            it.add_role(Some("admin"), "A"),
            it.add_role(Some("guest"), "G"),
        );
        let (ada, bob, cy) = (it.add_user("ada"), it.add_user("bob"), it.add_user("cy"));
        let sales = it.add_group("Sales");
        it.add_member(&sales, &cy);
        it.assign(&ada, Some(&guest));
        it.assign(&ada, Some(&admin));
        it.assign(&bob, Some(&guest));
        it.assign(&sales, Some(&guest));
        (ada, sales, admin)
    });
    assert_eq!(tenant.after_a_cycle().await, json!([["ada"], []]));
    tenant.change(|it| it.assign(&sales, Some(&admin)));
    assert_eq!(
        tenant.after_a_cycle().await,
        json!([["ada", "cy"], ["Sales"]])
    );
    tenant.change(|it| it.unassign(&ada));
    assert_eq!(
        tenant.after_a_cycle().await,
        json!([["ada-", "cy"], ["Sales"]])
    );
}

/// Before any cycle, the source is asked about the one who is wanted.
#[tokio::test]
async fn on_demand_asks_who_is_assigned() {
    use OnDemandResult::{Skipped, Success};
    let tenant = Tenant::new("").await;
    let (ada, bob, cy, sales) = tenant.change(|it| {
        let (ada, bob, cy) = (it.add_user("ada"), it.add_user("bob"), it.add_user("cy"));
        let sales = it.add_group("Sales");
        it.add_member(&sales, &bob);
        it.assign(&ada, None);
        it.assign(&sales, None);
        (ada, bob, cy, sales)
    });
    let cases = [
        ("directly", Kind::User, &ada, Success),
        ("by a group", Kind::User, &bob, Success),
        ("not at all", Kind::User, &cy, Skipped),
        ("a group", Kind::Group, &sales, Success),
    ];
    for (name, kind, key, expected) in cases {
        assert_eq!(tenant.on_demand(kind, key).await, expected, "{name}");
    }
    let everybody = json!([["ada", "bob"], ["Sales"]]);
    assert_eq!(tenant.after_a_cycle().await, everybody);
    tenant.change(|it| it.unassign(&ada));
    assert_eq!(
        tenant.on_demand(Kind::User, &ada).await,
        Success,
        "disabled"
    );
    assert_eq!(
        tenant.after_a_cycle().await,
        json!([["ada-", "bob"], ["Sales"]])
    );
}

#[tokio::test]
async fn on_demand_knows_the_role_of_an_assignment() {
    let tenant = Tenant::new(r#"required_roles = ["admin"]"#).await;
    let (ada, admin) = tenant.change(|it| {
        let (admin, guest) = (
            it.add_role(Some("admin"), "A"),
            it.add_role(Some("guest"), "G"),
        );
        let ada = it.add_user("ada");
        it.assign(&ada, Some(&guest));
        (ada, admin)
    });
    let skipped = tenant.on_demand(Kind::User, &ada).await;
    assert_eq!(skipped, OnDemandResult::Skipped);
    tenant.change(|it| it.assign(&ada, Some(&admin)));
    let brought = tenant.on_demand(Kind::User, &ada).await;
    assert_eq!(brought, OnDemandResult::Success);
}
