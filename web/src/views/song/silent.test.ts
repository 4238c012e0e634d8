import { expect, test } from "vitest";
import { SilentPlayer } from "./silent.ts";

const made = () => {
  const clock = { now: 100 };
  return { clock, player: new SilentPlayer(10, 1000, () => clock.now) };
};

test("time passes while it plays, and stands while it does not", async () => {
  const { clock, player } = made();
  await player.play();
  clock.now += 2.5;
  expect([player.position(), player.state]).toEqual([2500, "playing"]);
  player.pause();
  clock.now += 5;
  expect([player.position(), player.state]).toEqual([2500, "paused"]);
  player.seek(9000);
  await player.play();
  clock.now += 3;
  expect([player.position(), player.state]).toEqual([10_000, "ended"]);
  await player.play();
  expect(player.position()).toBe(0);
});

test("a loop goes round, and a position outside goes to its start", async () => {
  const { clock, player } = made();
  player.loop({ start: 2000, end: 3000 });
  expect(player.position()).toBe(2000);
  await player.play();
  clock.now += 2.25;
  expect(player.position()).toBe(2250);
  player.loop(null);
  clock.now += 1;
  expect(player.position()).toBe(3250);
});

test("who listens hears of changes, until they do not", async () => {
  const { player } = made();
  let heard = 0;
  const end = player.onChange(() => heard++);
  await player.play();
  end();
  player.pause();
  expect(heard).toBe(1);
});
