// All pages of the console with made-up content, as the example `gallery` of portreeve-console writes them, served as
// the server serves pages.

import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import { promisify } from "node:util";

const program = process.env.STORIES_PROGRAM ?? "target/debug/portreeve";
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    + "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".webmanifest": "application/manifest+json",
};

export class Gallery {
    url;
    /** The names of the pages. */
    pages;
    #folder;
    #server;

    static async open() {
        const gallery = new Gallery();
        gallery.#folder = await mkdtemp(join(tmpdir(), "gallery-"));
        await promisify(execFile)(join(dirname(program), "examples/gallery"), [gallery.#folder]);
        const files = await readdir(gallery.#folder);
        gallery.pages = files.filter((file) => file.endsWith(".html")).map((file) => file.slice(0, -5)).sort();
        gallery.#server = createServer((request, response) => gallery.#serve(request, response));
        gallery.#server.listen(0, "127.0.0.1");
        await once(gallery.#server, "listening");
        gallery.url = `http://localhost:${gallery.#server.address().port}`;
        return gallery;
    }

    async #serve(request, response) {
        const { pathname } = new URL(request.url, this.url);
        try {
            const body = await readFile(join(this.#folder, pathname));
            response.setHeader("Content-Type", TYPES[extname(pathname)] ?? "application/octet-stream");
            response.setHeader("Content-Security-Policy", POLICY);
            response.end(body);
        } catch {
            response.writeHead(404).end();
        }
    }

    async [Symbol.asyncDispose]() {
        this.#server.closeAllConnections();
        this.#server.close();
        await once(this.#server, "close");
        await rm(this.#folder, { recursive: true, force: true });
    }
}
