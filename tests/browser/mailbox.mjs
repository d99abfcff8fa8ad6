// A mail server that takes every mail and lets stories read them.

import { on, once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";

export class Mailbox {
    /** Those that have come and that nobody has read. */
    #mails = [];
    #waiting = Promise.withResolvers();
    #server;

    static async start() {
        const mailbox = new Mailbox();
        mailbox.#server = createServer((socket) => mailbox.#talk(socket).catch(() => {}));
        mailbox.#server.listen(0, "127.0.0.1");
        await once(mailbox.#server, "listening");
        return mailbox;
    }

    /** More words for a server's command line, so that it sends its mails here. */
    get words() {
        const { port } = this.#server.address();
        return ["--smtp-server", `smtp://127.0.0.1:${port}`, "--smtp-from", "portreeve@contoso.example"];
    }

    /** The next mail, with its headers and with long lines whole again. */
    async next() {
        while (this.#mails.length === 0) await this.#waiting.promise;
        return this.#mails.shift().replace(/=\n/g, "");
    }

    /** One connection (RFC 5321). */
    async #talk(socket) {
        socket.write("220 mailbox\r\n");
        let mail;
        for await (const [line] of on(createInterface({ input: socket }), "line", { close: ["close"] })) {
            if (mail === undefined) {
                if (line === "DATA") mail = [];
                socket.write({ DATA: "354 go on\r\n", QUIT: "221 bye\r\n" }[line] ?? "250 fine\r\n");
            } else if (line === ".") {
                this.#mails.push(mail.join("\n"));
                mail = undefined;
                this.#waiting.resolve();
                this.#waiting = Promise.withResolvers();
                socket.write("250 taken\r\n");
            } else {
                mail.push(line);
            }
        }
    }

    [Symbol.asyncDispose]() {
        this.#server.close();
    }
}
