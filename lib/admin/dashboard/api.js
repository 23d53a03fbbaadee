/** Requests to the admin API, and the dialogs that confirm one or ask for the token. */

const dialog = document.getElementById("ask");
const [title, text, field, input, yes] = ["title", "text", "field", "input", "yes"]
  .map((name) => document.getElementById(`ask-${name}`));

/** The admin token, kept only while the page is open. */
let token;

/** Resolves the promise of the question that the dialog shows. */
let answer = () => {};

// no submit button: Enter in the field would press the first of those
document.getElementById("ask-no").addEventListener("click", () => dialog.close(""));
// the event comes after the dialog has closed, when it may show another question already
dialog.addEventListener("close", () => {
  if (!dialog.open) answer(dialog.returnValue === "yes");
});

/** Asks in a dialog. Resolves to true for yes. */
function ask(question, { detail, action, secret = false }) {
  answer(dialog.returnValue === "yes");
  title.textContent = question;
  text.textContent = detail;
  field.hidden = !secret;
  input.value = "";
  yes.textContent = action;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => answer = resolve);
}

/** Asks for confirmation. @param {string} question @param {string} detail @param {string} action Label of the button. */
export function confirm(question, detail, action) {
  return ask(question, { detail, action });
}

/** Sends a request, and returns the body of its answer. @param parameters Of the query; empty ones are left out. */
export async function request(path, parameters = {}, method = "GET") {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== "");
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
  const headers = token && method !== "GET" ? { authorization: `Bearer ${token}` } : {};
  const response = await fetch(`/api/v1${path}${given.length > 0 ? `?${query}` : ""}`, { method, headers });
  const body = await response.json();
  if (response.ok) return body;
  if (response.status !== 401) throw new Error(body.error);
  const wasGiven = token !== undefined;
  token = undefined;
  const detail = `Changes need the token of admin.token_file${wasGiven ? ": this one is wrong" : ""}.`;
  if (!await ask("Token", { detail, action: "Continue", secret: true })) throw new Error(body.error);
  token = input.value.trim();
  return await request(path, parameters, method);
}
