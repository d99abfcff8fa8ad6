//! What can be asked, and by which parameters.

use super::SERVICE_PRINCIPAL;
use super::directory::Class;
use super::filter;
use super::pages::Delta;
use super::reply::Reply;
use super::server::State;
use serde_json::json;

/// The properties that can be selected, besides `extension_…`.
const PROPERTIES: &[&str] = &[
    "id",
    "appRoles",
    "userPrincipalName",
    "mail",
    "mailNickname",
    "proxyAddresses",
    "displayName",
    "givenName",
    "surname",
    "jobTitle",
    "department",
    "companyName",
    "employeeId",
    "employeeType",
    "employeeHireDate",
    "employeeLeaveDateTime",
    "employeeOrgData",
    "accountEnabled",
    "userType",
    "usageLocation",
    "preferredLanguage",
    "officeLocation",
    "streetAddress",
    "city",
    "state",
    "postalCode",
    "country",
    "businessPhones",
    "mobilePhone",
    "faxNumber",
    "imAddresses",
    "otherMails",
    "onPremisesExtensionAttributes",
    "onPremisesImmutableId",
    "onPremisesSyncEnabled",
    "onPremisesDomainName",
    "onPremisesLastSyncDateTime",
    "deletedDateTime",
    "description",
    "securityEnabled",
    "mailEnabled",
    "groupTypes",
    "manager",
    "members",
];

/// A request to Graph.
pub(super) struct Asked {
    target: String,
    segments: Vec<String>,
    query: Vec<(String, String)>,
    prefer: String,
    eventual: bool,
}

impl Asked {
    pub(super) fn read(target: &str, prefer: &str, consistency: &str) -> Self {
        let url = reqwest::Url::parse(&format!("http://localhost{target}")).expect("a target");
        let segment = |text: &str| {
            // The path of a URL is decoded as a query is, but for the plus sign.
            let text = text.replace('+', "%2B");
            super::login::form_urlencoded(text.as_bytes())
                .first()
                .map(|(name, _)| name.clone())
                .unwrap_or_default()
        };
        Self {
            target: target.to_owned(),
            segments: url
                .path_segments()
                .into_iter()
                .flatten()
                .map(segment)
                .collect(),
            query: super::login::form_urlencoded(url.query().unwrap_or_default().as_bytes()),
            prefer: prefer.to_owned(),
            eventual: consistency == "eventual",
        }
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(known, _)| known == name)?;
        Some(&found.1)
    }

    fn select(&self) -> Vec<String> {
        let select = self.parameter("$select").unwrap_or("id,displayName");
        select.split(',').map(str::to_owned).collect()
    }

    fn top(&self) -> Option<usize> {
        self.parameter("$top")?.parse().ok()
    }
}

impl State {
    /// Answers a request that has a good token.
    pub(super) fn graph(&mut self, asked: &Asked) -> Reply {
        if let Some(reply) = self.linked(&asked.target, &asked.prefer) {
            return reply;
        }
        if !asked.prefer.is_empty() {
            self.object(format!("{}: Prefer is {}", asked.target, asked.prefer));
        }
        let segments: Vec<&str> = asked.segments.iter().map(String::as_str).collect();
        match segments[..] {
            ["v1.0", "users", "delta"] => self.first_delta(Class::User, asked),
            ["v1.0", "groups", "delta"] => self.first_delta(Class::Group, asked),
            ["v1.0", "users"] => self.search(Class::User, asked),
            ["v1.0", "groups"] => self.search(Class::Group, asked),
            ["v1.0", "users", id] => self.single(Class::User, id, asked),
            ["v1.0", "groups", id] => self.single(Class::Group, id, asked),
            ["v1.0", "groups", id, "members"] => self.members(id, asked),
            ["v1.0", "users", id, "appRoleAssignments"] => self.granted(Class::User, id, asked),
            ["v1.0", "groups", id, "appRoleAssignments"] => self.granted(Class::Group, id, asked),
            ["v1.0", "servicePrincipals", id] => self.application(id, asked),
            ["v1.0", "servicePrincipals", id, "appRoleAssignedTo"] => self.assigned(id, asked),
            ["v1.0", "directory", "deletedItems", "microsoft.graph.user"] => {
                self.recycled(Class::User, asked)
            }
            ["v1.0", "directory", "deletedItems", "microsoft.graph.group"] => {
                self.recycled(Class::Group, asked)
            }
            _ => {
                self.object(format!("{} is no address of Graph", asked.target));
                Reply::error(
                    404,
                    "ResourceNotFound",
                    "Resource not found for the segment.",
                )
            }
        }
    }

    fn first_delta(&mut self, class: Class, asked: &Asked) -> Reply {
        if let Some(refusal) = self.parameters_refused(asked, &["$select"]) {
            return refusal;
        }
        let select = asked.select();
        if asked.eventual {
            self.object(format!("{} asks the index", asked.target));
        }
        let delta = Delta {
            class,
            select,
            since: None,
        };
        self.delta(delta, false)
    }

    fn search(&mut self, class: Class, asked: &Asked) -> Reply {
        let allowed = ["$select", "$filter", "$top", "$count", "$expand"];
        if let Some(refusal) = self.parameters_refused(asked, &allowed) {
            return refusal;
        }
        let counts = asked.parameter("$count") == Some("true");
        let advanced = counts && asked.eventual;
        let expands = asked.parameter("$expand").is_some();
        let filter = asked.parameter("$filter");
        if (counts != asked.eventual)
            || (advanced && expands)
            || (!advanced && filter.is_some_and(filter::needs_index))
        {
            return Reply::error(
                400,
                "Request_UnsupportedQuery",
                "The specified query is not supported.",
            );
        }
        let mut found = self.directory.ids(class);
        if let Some(filter) = filter {
            let Some(terms) = filter::parse(filter) else {
                self.object(format!("the filter {filter}"));
                return Reply::error(400, "BadRequest", "Invalid filter clause");
            };
            found.retain(|id| terms.iter().any(|term| term.is_true(&self.directory, id)));
        }
        let count = advanced.then_some(found.len());
        let select = asked.select();
        let items: Vec<_> = found
            .iter()
            .filter_map(|id| self.directory.object(id, &select, expands))
            .collect();
        self.list(
            &format!("/v1.0/{}", class.collection()),
            &items,
            asked.top(),
            count,
        )
    }

    fn single(&mut self, class: Class, id: &str, asked: &Asked) -> Reply {
        if let Some(refusal) = self.parameters_refused(asked, &["$select", "$expand"]) {
            return refusal;
        }
        let ids = self.directory.ids(class);
        let by_name = ids.iter().find(|other| {
            let name = self.directory.value(other, "userPrincipalName");
            name.as_str()
                .is_some_and(|name| name.eq_ignore_ascii_case(id))
        });
        let id = by_name.cloned().unwrap_or_else(|| id.to_owned());
        let expands = asked.parameter("$expand").is_some();
        let found = ids
            .contains(&id)
            .then(|| self.directory.object(&id, &asked.select(), expands))
            .flatten();
        match found {
            Some(object) => Reply::json(200, &object),
            None => missing(&id),
        }
    }

    fn members(&mut self, id: &str, asked: &Asked) -> Reply {
        if let Some(refusal) = self.parameters_refused(asked, &["$select", "$top"]) {
            return refusal;
        }
        match self.directory.members(id) {
            Some(members) => self.list(
                &format!("/v1.0/groups/{id}/members"),
                &members,
                asked.top(),
                None,
            ),
            None => missing(id),
        }
    }

    fn application(&mut self, id: &str, asked: &Asked) -> Reply {
        if let Some(refusal) = self.parameters_refused(asked, &["$select"]) {
            return refusal;
        }
        if id != SERVICE_PRINCIPAL {
            return missing(id);
        }
        let roles = self.directory.roles();
        Reply::json(
            200,
            &json!({"id": id, "displayName": "Port office", "appRoles": roles}),
        )
    }

    fn assigned(&mut self, id: &str, asked: &Asked) -> Reply {
        if let Some(refusal) = self.parameters_refused(asked, &["$top"]) {
            return refusal;
        }
        if id != SERVICE_PRINCIPAL {
            return missing(id);
        }
        let items = self.directory.assignments(id);
        let path = format!("/v1.0/servicePrincipals/{id}/appRoleAssignedTo");
        self.list(&path, &items, asked.top(), None)
    }

    /// What an object is assigned to, of a user by groups as well.
    fn granted(&mut self, class: Class, id: &str, asked: &Asked) -> Reply {
        if let Some(refusal) = self.parameters_refused(asked, &["$top", "$count"]) {
            return refusal;
        }
        let counts = asked.parameter("$count") == Some("true");
        if counts != asked.eventual {
            self.object(format!("{} is an advanced query by halves", asked.target));
        }
        if !self.directory.ids(class).iter().any(|known| known == id) {
            return missing(id);
        }
        let mut items = self.directory.assignments(SERVICE_PRINCIPAL);
        items.retain(|assignment| {
            let principal = assignment["principalId"].as_str().unwrap_or_default();
            let members = self.directory.members(principal).unwrap_or_default();
            principal == id || members.iter().any(|member| member["id"] == id)
        });
        // Whoever asks is told of other applications as well.
        items.push(json!({
            "principalId": id,
            "principalType": match class {
                Class::User => "User",
                Class::Group => "Group",
            },
            "resourceId": "another-application",
        }));
        let path = format!("/v1.0/{}/{id}/appRoleAssignments", class.collection());
        let count = counts.then_some(items.len());
        self.list(&path, &items, asked.top(), count)
    }

    fn recycled(&mut self, class: Class, asked: &Asked) -> Reply {
        if let Some(refusal) = self.parameters_refused(asked, &["$select", "$top"]) {
            return refusal;
        }
        let path = format!(
            "/v1.0/directory/deletedItems/{}",
            class.odata_type().trim_start_matches('#')
        );
        let items = self.directory.recycled(class);
        self.list(&path, &items, asked.top(), None)
    }

    /// The refusal of a parameter that this address does not take, or of a property that does not exist.
    fn parameters_refused(&mut self, asked: &Asked, allowed: &[&str]) -> Option<Reply> {
        let unknown = asked
            .query
            .iter()
            .find(|(name, _)| !allowed.contains(&&**name));
        if let Some((name, _)) = unknown {
            self.object(format!("{} has the parameter {name}", asked.target));
            return Some(Reply::error(
                400,
                "BadRequest",
                "Query option is not allowed.",
            ));
        }
        if let Some(top) = asked.parameter("$top")
            && !top.parse().is_ok_and(|top| (1..=999).contains(&top))
        {
            self.object(format!("{} has $top={top}", asked.target));
            return Some(Reply::error(400, "BadRequest", "Invalid page size."));
        }
        if let Some(expand) = asked.parameter("$expand")
            && expand != "manager($select=id)"
        {
            self.object(format!("{} has $expand={expand}", asked.target));
        }
        asked.parameter("$select")?;
        let select = asked.select();
        let unknown = select
            .iter()
            .find(|name| !PROPERTIES.contains(&&***name) && !name.starts_with("extension_"))?;
        let said = format!(
            "Parsing OData Select and Expand failed: Could not find a property named '{unknown}' on type 'microsoft.graph.user'."
        );
        Some(Reply::error(400, "BadRequest", &said))
    }
}

fn missing(id: &str) -> Reply {
    let said = format!(
        "Resource '{id}' does not exist or one of its queried reference-property objects are not present."
    );
    Reply::error(404, "Request_ResourceNotFound", &said)
}
