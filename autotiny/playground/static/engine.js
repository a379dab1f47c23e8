/* The engine of a page that `autotiny play` serves: the local process, asked over HTTP. */

/** The answer to one question; a refusal by the server becomes an answer with an error. */
export async function answer(kind, question) {
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
