/* Questions to the server of this page. */

/** The answer to one question; a refusal by the server becomes an answer with an error. */
export async function ask(kind, question) {
  try {
    const reply = await fetch(`ask/${kind}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(question),
    });
    return reply.ok ? await reply.json() : { error: { message: await reply.text() } };
  } catch {
    return { error: { message: "The server does not answer. Is “autotiny play” still running?" } };
  }
}

/** Asks one kind of question. While one is being answered, only the latest other one waits. */
export class Lane {
  #waiting = null;
  #busy = false;

  constructor(kind, show) {
    this.kind = kind;
    this.show = show;
  }

  async ask(question) {
    this.#waiting = question;
    if (this.#busy) return;
    this.#busy = true;
    while (this.#waiting !== null) {
      const asked = this.#waiting;
      this.#waiting = null;
      this.show(await ask(this.kind, asked), asked, this.#waiting === null);
    }
    this.#busy = false;
  }
}
