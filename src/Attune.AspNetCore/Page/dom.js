// Elements and numbers. Texts only ever become text nodes: what a user, a file or a model's label says is never read as HTML.

export const byId = (id) => document.getElementById(id);

/** An element with its properties and children; a key with a dash is an attribute, of style the properties. */
export function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "style") for (const [property, set] of Object.entries(value)) element.style.setProperty(property, set);
    else if (key.includes("-") || key === "role" || key === "scope" || key === "for") element.setAttribute(key, value);
    else element[key] = value;
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** A label's name as it is, kept apart from the text around it, in whatever direction it is written. */
export const bdi = (text) => make("bdi", {}, text);

/** Puts a short sentence where screen readers are told of it; one that is wrong is marked too. */
export function say(place, text, isWrong = false) {
  place.classList.remove("unseen");
  place.classList.toggle("wrong", isWrong);
  place.textContent = text;
}

/** Copies a text, where the browser allows it; on pages without TLS it often does not. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

export const percent = (share) => `${(share * 100).toFixed(1)} %`;

export const whole = (number) => number.toLocaleString("en-US");

export const many = (number, one, more = `${one}s`) => `${whole(number)} ${number === 1 ? one : more}`;

/** A duration for people: not exact, for it is an estimate. */
export function about(seconds) {
  if (seconds < 5) return "a few seconds";
  if (seconds < 90) return `${Math.ceil(seconds / 5) * 5} seconds`;
  if (seconds < 5400) return many(Math.round(seconds / 60), "minute");
  return many(Math.round(seconds / 3600), "hour");
}
