import { LinkedList, ListNode } from "../../lib/util/linked_list.ts";
import { assert, assertEquals } from "../assert.ts";

class Guest extends ListNode<Guest> {
  readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }
}

const names = (list: LinkedList<Guest>) => [...list].map(({ name }) => name).join("");

function rosterOf(text: string) {
  const list = new LinkedList<Guest>();
  const guests = [...text].map((name) => new Guest(name));
  for (const guest of guests) list.join(guest);
  return { list, guests };
}

Deno.test("members come in the order in which they joined, whoever leaves", () => {
  for (let gone = 0; gone < 4; gone++) {
    const { list, guests } = rosterOf("abcd");
    const [guest] = guests.slice(gone);
    assert(guest && list.leave(guest));
    assertEquals(names(list), "abcd".replace(guest.name, ""));
    assertEquals(list.size, 3);
  }
});

Deno.test("leaving twice changes nothing and says so", () => {
  const { list, guests: [first] } = rosterOf("ab");
  assert(first && list.leave(first));
  assert(!list.leave(first));
  assertEquals(names(list), "b");
});

Deno.test("a member that has left points to no other", () => {
  const { list, guests } = rosterOf("abc");
  for (const guest of guests) list.leave(guest);
  assertEquals(list.first, undefined);
  assert(guests.every(({ previous, next }) => previous === undefined && next === undefined));
});

Deno.test("members may leave and join while others are visited", () => {
  const { list, guests } = rosterOf("abc");
  const seen: string[] = [];
  for (const { name } of list) {
    seen.push(name);
    const [, second] = guests;
    if (name === "a" && second) {
      list.leave(second);
      list.join(new Guest("d"));
    }
  }
  assertEquals(seen.join(""), "ac");
  assertEquals(names(list), "acd");
});
