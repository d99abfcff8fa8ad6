// A company that looks like one, with names as people have them, for stories and for pictures.

const TENANT = "6f1c2a58-2f0e-4f6e-9d57-8a1c3b7d9e10";
const ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/** Name, user name, department, title. */
const PEOPLE = [
    ["Ada Lovelace", "ada", "Engineering", "Principal engineer"],
    ["Bartholomew Featherstonehaugh-Cholmondeley", "bartholomew.featherstonehaugh-cholmondeley", "Legal", "General counsel"],
    ["Chiara Bianchi", "chiara.bianchi", "Engineering", "Site reliability engineer"],
    ["Daniël van der Meer", "daniel.vandermeer", "Finance", "Controller"],
    ["Eszter Nagy", "eszter.nagy", "People", "Recruiter"],
    ["Farid Haddad", "farid.haddad", "Engineering", "Platform engineer"],
    ["Grace Hopper", "grace", "Engineering", "Distinguished engineer"],
    ["Hyun-woo Kim", "hyunwoo.kim", "Design", "Product designer"],
    ["Ingrid Sørensen", "ingrid.sorensen", "Sales", "Account executive"],
    ["João Conceição", "joao.conceicao", "Support", "Team lead"],
    ["Katarzyna Wójcik", "katarzyna.wojcik", "Engineering", "Security engineer"],
    ["Liam O’Sullivan", "liam.osullivan", "Sales", "Sales director"],
    ["נועה לוי", "noa.levi", "Engineering", "Data engineer"],
    ["Ольга Петрова", "olga.petrova", "Finance", "Accountant"],
    ["Priya Raghunathan", "priya.raghunathan", "Engineering", "Engineering manager"],
    ["Quentin Dubois", "quentin.dubois", "Support", "Support engineer"],
];

/** Name, and the user names of its members. */
const GROUPS = [
    ["web-ops", ["ada", "chiara.bianchi", "farid.haddad"]],
    ["Engineering", ["ada", "chiara.bianchi", "farid.haddad", "grace", "katarzyna.wojcik", "noa.levi", "priya.raghunathan"]],
    ["Finance and controlling, Europe, the Middle East and Africa", ["daniel.vandermeer", "olga.petrova"]],
    ["Everyone on call", []],
];

/** Provisions the company as Entra ID does, and gives the ids of its people by user name. */
export async function arrive(directory) {
    const ids = {};
    for (const person of PEOPLE) {
        const made = await directory.user(address(person[1]), attributes(person));
        ids[person[1]] = made.id;
    }
    const groups = {};
    for (const [name, members] of GROUPS) {
        const made = await directory.group(name, ...members.map((member) => ids[member]));
        groups[name] = made.id;
    }
    await directory.patch(`/Groups/${groups["Everyone on call"]}`, [
        { op: "Add", path: "members", value: [{ value: groups["web-ops"] }] },
    ]);
    await directory.replace(ids["quentin.dubois"], "active", false);
    await directory.replace(ids.ada, "title", "Fellow");
    return { people: ids, groups };
}

/** The claims of the ID token that Entra makes for one of them. */
export function claims(userName) {
    const person = PEOPLE.find((it) => it[1] === userName);
    return {
        oid: objectId(userName),
        tid: TENANT,
        name: person[0],
        preferred_username: address(userName),
        email: address(userName),
        email_verified: true,
    };
}

/** The tenant that all of them are in. */
export const tenant = TENANT;

/** The id of a person in Entra, which provisioning sends as `externalId`. */
function objectId(userName) {
    const number = PEOPLE.findIndex((it) => it[1] === userName);
    return `8aa1b3c4-0000-4000-8000-${String(number).padStart(12, "0")}`;
}

function address(userName) {
    return `${userName}@contoso.example`;
}

function attributes([displayName, userName, department, title]) {
    const [givenName, ...rest] = displayName.split(" ");
    return {
        externalId: objectId(userName),
        displayName,
        title,
        name: { formatted: displayName, givenName, familyName: rest.join(" ") },
        emails: [{ type: "work", primary: true, value: address(userName) }],
        phoneNumbers: [{ type: "work", value: "+31 15 555 0100" }],
        [ENTERPRISE]: { department },
    };
}
