// A real OpenSSH server: a process for each connection, as inetd starts it, because then the port can be any that is free.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createServer } from "node:net";

const PROGRAM = "/usr/sbin/sshd";

export class Sshd {
    port;
    #server;
    #said = [];

    /** @param config its configuration file */
    static async start(config) {
        try {
            // Where it runs as root it shuts itself into this folder, which a service manager makes otherwise.
            mkdirSync("/run/sshd", { mode: 0o755 });
        } catch {
            // It is there, or is not needed.
        }
        const sshd = new Sshd();
        sshd.#server = createServer({ pauseOnConnect: true }, (socket) => {
            const answering = spawn(PROGRAM, ["-i", "-e", "-f", config], { stdio: [socket, socket, "pipe"] });
            answering.stderr.setEncoding("utf8").on("data", (text) => sshd.#said.push(text));
            answering.on("exit", () => socket.destroy());
        });
        sshd.#server.listen(0, "127.0.0.1");
        await once(sshd.#server, "listening");
        sshd.port = sshd.#server.address().port;
        return sshd;
    }

    /** What it has logged. */
    get said() {
        return this.#said.join("");
    }

    [Symbol.dispose]() {
        this.#server.close();
    }
}

/** What every server of the tests has in common. It lets nobody in but with a certificate. */
export const COMMON = [
    "LogLevel VERBOSE",
    "AuthorizedKeysFile none",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "StrictModes no",
    "PidFile none",
].join("\n");
