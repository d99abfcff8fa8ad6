// An application as others build it: SCIMMY and its routers on express, with users and groups in memory.
//
// Usage, in the folder with its node_modules: SCIM_TOKEN=... node --input-type=module - < scimmy.mjs
//
// Prints its SCIM base URL when it listens, on a port that the system chose. What is the application's own business is
// here: that user names and group names are unique, and that whoever is deleted leaves the groups.

import { randomUUID } from "node:crypto";
import express from "express";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";

/** Users or groups, by their id. */
class Store {
    #resources = new Map();

    /** @param unique the attribute that no two of them may share, in either case of letters */
    constructor(unique) {
        this.unique = unique;
    }

    read(request) {
        if (!request.id) {
            const all = [...this.#resources.values()];
            return request.filter ? request.filter.match(all) : all;
        }
        const found = this.#resources.get(request.id);
        if (!found) throw new SCIMMY.Types.Error(404, null, `There is no ${request.id}`);
        return found;
    }

    write(request, data) {
        const before = request.id ? this.read(request) : undefined;
        const body = JSON.parse(JSON.stringify(data));
        const name = body[this.unique].toLowerCase();
        for (const other of this.#resources.values()) {
            if (other.id !== request.id && other[this.unique].toLowerCase() === name) {
                throw new SCIMMY.Types.Error(409, "uniqueness", `${this.unique} is taken by ${other.id}`);
            }
        }
        const id = before?.id ?? randomUUID();
        const now = new Date();
        const resource = { ...body, id, meta: { created: before?.meta.created ?? now, lastModified: now } };
        this.#resources.set(id, resource);
        return resource;
    }

    remove(request) {
        this.read(request);
        this.#resources.delete(request.id);
    }

    all() {
        return this.#resources.values();
    }
}

const users = new Store("userName");
const groups = new Store("displayName");

SCIMMY.Resources.declare(SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser, false))
    .ingress((request, data) => users.write(request, data))
    .egress((request) => users.read(request))
    .degress((request) => {
        users.remove(request);
        for (const group of groups.all()) {
            group.members = group.members?.filter((member) => member.value !== request.id);
        }
    });
SCIMMY.Resources.declare(SCIMMY.Resources.Group)
    .ingress((request, data) => groups.write(request, data))
    .egress((request) => groups.read(request))
    .degress((request) => groups.remove(request));

const application = express();
application.use("/scim", new SCIMMYRouters({
    type: "bearer",
    handler: (request) => {
        if (request.header("Authorization") !== `Bearer ${process.env.SCIM_TOKEN}`) throw new Error("Wrong token");
    },
}));
const server = application.listen(0, "127.0.0.1", () => {
    console.log(`http://127.0.0.1:${server.address().port}/scim`);
});
