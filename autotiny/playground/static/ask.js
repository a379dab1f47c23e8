/* Questions to the server that this page came from. */

/** The answer to one question; an error of the server becomes an answer with an error. */
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

/** Asks one kind of question. While an answer is on its way only the latest question waits, so none is out of date. */
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
