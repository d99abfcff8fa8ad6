//! One group.

use crate::admin::groups::{self, GroupChange, GroupView};
use crate::admin::members::{self, MemberView, NewMember};
use crate::console::happening::time;
use crate::console::people::{PAGE, group_page, history, source, user_page};
use crate::console::trouble::Trouble;
use crate::console::visit::Visit;
use axum::body::Body;
use axum::response::Response;
use portreeve_console::pages::groups::{Group, Member};
use portreeve_console::parts::{
    Alert, Confirm, Copyable, Fact, Facts, Field, Pager, Shown, Source, Tone,
};
use portreeve_console::{Address, Section};
use portreeve_directory::Permission;

/// The group that the path names.
pub(in crate::console) async fn show(visit: Visit) -> Response {
    let shown = async {
        let group = find(&visit).await?;
        Ok(visit.page(&page(&visit, &group, None).await?))
    };
    visit.or_trouble(shown.await)
}

async fn find(visit: &Visit) -> Result<GroupView, Trouble> {
    let (directory, group) = (visit.param("directory"), visit.param("group"));
    Ok(groups::get(&visit.app, &visit.admin, &directory, &group).await?)
}

async fn page(visit: &Visit, group: &GroupView, problem: Option<Alert>) -> Result<Group, Trouble> {
    let here = group_page(&group.directory_id, &group.id);
    let after = visit.query("after").to_owned();
    let of = (group.directory_id.as_str(), group.id.as_str());
    let limit = u64::try_from(PAGE).unwrap_or(50);
    let found = members::list(&visit.app, &visit.admin, of, &after, limit).await?;
    let next = (found.len() == PAGE)
        .then(|| found.last())
        .flatten()
        .map(|last| here.clone().with("after", last.id.clone()));
    let may = visit.may(Permission::GroupWrite);
    let is_native = source(&group.managed_by) == Source::Portreeve;
    let mut notes: Vec<Alert> = problem.into_iter().collect();
    if group.has_nested_groups {
        let text = "Entra does not send the people of nested groups. They count here as far as they are known; assign their groups to the application, too.";
        notes.push(Alert::new(
            Tone::Info,
            "There are groups in this group",
            text,
        ));
    }
    Ok(Group {
        shell: visit.shell(),
        name: group.display_name.clone(),
        source: source(&group.managed_by),
        notes,
        profile: profile(group),
        pager: Pager {
            total: u64::try_from(group.member_count).ok(),
            shown: found.len(),
            noun: ("member", "members"),
            previous: (!after.is_empty()).then(|| here.clone()),
            next,
        },
        members: found
            .iter()
            .map(|one| member(group, one, &here, may))
            .collect(),
        add: may.then(|| add_question(group, &here)),
        rename: (may && is_native).then(|| rename_question(group, &here)),
        delete: (may && is_native).then(|| delete_question(group, &here)),
        history: history(visit, &group.id).await?,
        all_history: Section::Logs.address().with("object", group.id.clone()),
    })
}

fn member(group: &GroupView, member: &MemberView, here: &Address, may: bool) -> Member {
    let is_group = member.kind == "Group";
    let name = member.name.clone().unwrap_or_else(|| member.id.clone());
    let is_local = member.local.is_some();
    let is_here = source(&member.managed_by) == Source::Portreeve;
    Member {
        href: match is_group {
            true => group_page(&group.directory_id, &member.id),
            false => user_page(&group.directory_id, &member.id),
        },
        is_group,
        source: source(&member.managed_by),
        until: member
            .local
            .as_ref()
            .and_then(|local| local.expires_at)
            .map(|at| time(at.0)),
        remove: (may && (is_local || is_here)).then(|| Confirm {
            id: format!("remove-{}", member.id),
            opener: "Remove…".to_owned(),
            title: format!("Remove {name} from {}?", group.display_name),
            effect: "What the group gives them does not count from then on.".to_owned(),
            action: here.clone().join("members").join(&member.id).join("remove"),
            label: "Remove".to_owned(),
            values: Vec::new(),
            fields: Vec::new(),
            danger: true,
        }),
        name,
    }
}

fn profile(group: &GroupView) -> Facts {
    let copyable = |label: &'static str, what: &str, value: &str| {
        Fact::new(label, Shown::Copyable(Copyable::new(what, value)))
    };
    let mut facts = vec![Fact::text("Members", group.member_count.to_string())];
    if let Some(id) = &group.external_id {
        facts.push(copyable("External id", "external id", id));
    }
    facts.push(copyable("Id", "id", &group.id));
    facts.push(Fact::new("Made", Shown::Time(time(group.created_at.0))));
    facts.push(Fact::new("Changed", Shown::Time(time(group.updated_at.0))));
    Facts(facts)
}

fn add_question(group: &GroupView, here: &Address) -> Confirm {
    Confirm {
        id: "add".to_owned(),
        opener: "Add a member…".to_owned(),
        title: format!("Add somebody to {}", group.display_name),
        effect: match source(&group.managed_by) {
            Source::Portreeve => "They have what the group gives from then on.".to_owned(),
            Source::Directory(name) => {
                format!("Beside those whom {name} manages; it does not touch this membership.")
            }
        },
        action: here.clone().join("members"),
        label: "Add".to_owned(),
        values: Vec::new(),
        fields: vec![
            Field::line("add", "id", "Who", "")
                .example("ada@contoso.com")
                .help("User name, or id.")
                .required(),
            Field::line("add", "until", "Until", "")
                .kind("datetime-local")
                .help("In UTC; empty: until somebody removes them."),
        ],
        danger: false,
    }
}

fn rename_question(group: &GroupView, here: &Address) -> Confirm {
    Confirm {
        id: "rename".to_owned(),
        opener: "Rename…".to_owned(),
        title: format!("Another name for {}", group.display_name),
        effect: "Its members and its id stay.".to_owned(),
        action: here.clone(),
        label: "Rename".to_owned(),
        values: Vec::new(),
        fields: vec![
            Field::line("rename", "display_name", "Name", group.display_name.clone()).required(),
        ],
        danger: false,
    }
}

fn delete_question(group: &GroupView, here: &Address) -> Confirm {
    Confirm {
        id: "delete".to_owned(),
        opener: "Delete…".to_owned(),
        title: format!("Delete {}?", group.display_name),
        effect: format!(
            "{} memberships end with it. What happened stays in the log.",
            group.member_count
        ),
        action: here.clone().join("delete"),
        label: "Delete".to_owned(),
        values: Vec::new(),
        fields: Vec::new(),
        danger: true,
    }
}

/// Adds a member here.
pub(in crate::console) async fn add(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let group = find(&visit).await?;
        let wanted = NewMember {
            id: form.text("id").to_owned(),
            expires_at: form.moment("until"),
        };
        let of = (group.directory_id.as_str(), group.id.as_str());
        match members::add(&visit.app, &visit.admin, of, wanted).await {
            Ok(member) => {
                let name = member.name.unwrap_or(member.id);
                Ok(visit.done(&group_page(of.0, of.1), &format!("{name} is a member now.")))
            }
            Err(refusal) => again(&visit, &group, refusal.into()).await,
        }
    };
    visit.or_trouble(done.await)
}

async fn again(visit: &Visit, group: &GroupView, trouble: Trouble) -> Result<Response, Trouble> {
    let trouble = match trouble {
        // The group is there, so it is the member who is not.
        Trouble::NotFound => Trouble::Invalid(
            "there is nobody with that user name or id in this directory".to_owned(),
        ),
        other => other,
    };
    let problem = trouble.problem()?;
    Ok(visit.again(&page(visit, group, Some(problem)).await?))
}

/// Takes a member away.
pub(in crate::console) async fn remove(visit: Visit) -> Response {
    let done = async {
        let group = find(&visit).await?;
        let of = (group.directory_id.as_str(), group.id.as_str());
        members::remove(&visit.app, &visit.admin, of, &visit.param("member")).await?;
        Ok(visit.done(&group_page(of.0, of.1), "The member is removed."))
    };
    visit.or_trouble(done.await)
}

/// Gives a group of a native directory another name.
pub(in crate::console) async fn rename(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let group = find(&visit).await?;
        let wanted = GroupChange {
            display_name: form.filled("display_name"),
            ..GroupChange::default()
        };
        match groups::update(
            &visit.app,
            &visit.admin,
            &group.directory_id,
            &group.id,
            wanted,
        )
        .await
        {
            Ok(group) => Ok(visit.done(
                &group_page(&group.directory_id, &group.id),
                "The group has another name now.",
            )),
            Err(refusal) => again(&visit, &group, refusal.into()).await,
        }
    };
    visit.or_trouble(done.await)
}

/// Removes a group of a native directory.
pub(in crate::console) async fn delete(visit: Visit) -> Response {
    let done = async {
        let group = find(&visit).await?;
        groups::delete(&visit.app, &visit.admin, &group.directory_id, &group.id).await?;
        Ok(visit.done(
            &Section::Groups.address(),
            &format!("{} is deleted.", group.display_name),
        ))
    };
    visit.or_trouble(done.await)
}
