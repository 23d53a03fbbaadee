import { Member, Roster } from "../lib/roster.ts";
import { assert, assertEquals } from "./assert.ts";

class Guest extends Member<Guest> {
  readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }
}

const names = (roster: Roster<Guest>) => [...roster].map(({ name }) => name).join("");

function rosterOf(text: string) {
  const roster = new Roster<Guest>();
  const guests = [...text].map((name) => new Guest(name));
  for (const guest of guests) roster.join(guest);
  return { roster, guests };
}

Deno.test("members come in the order in which they joined, whoever leaves", () => {
  for (let gone = 0; gone < 4; gone++) {
    const { roster, guests } = rosterOf("abcd");
    const [guest] = guests.slice(gone);
    assert(guest && roster.leave(guest));
    assertEquals(names(roster), "abcd".replace(guest.name, ""));
    assertEquals(roster.size, 3);
  }
});

Deno.test("leaving twice changes nothing and says so", () => {
  const { roster, guests: [first] } = rosterOf("ab");
  assert(first && roster.leave(first));
  assert(!roster.leave(first));
  assertEquals(names(roster), "b");
});

Deno.test("a member that has left points to no other", () => {
  const { roster, guests } = rosterOf("abc");
  for (const guest of guests) roster.leave(guest);
  assertEquals(roster.first, undefined);
  assert(guests.every(({ previous, next }) => previous === undefined && next === undefined));
});

Deno.test("members may leave and join while others are visited", () => {
  const { roster, guests } = rosterOf("abc");
  const seen: string[] = [];
  for (const { name } of roster) {
    seen.push(name);
    const [, second] = guests;
    if (name === "a" && second) {
      roster.leave(second);
      roster.join(new Guest("d"));
    }
  }
  assertEquals(seen.join(""), "ac");
  assertEquals(names(roster), "acd");
});
