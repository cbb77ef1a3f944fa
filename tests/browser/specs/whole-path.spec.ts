// The whole path as its people walk it: an engineer signs up, a driver pastes the token into the shipped agent, the game
// is driven, and what the page shows is what the game shows; afterwards the session can be read in review.

import type { Page } from "@playwright/test";
import type { Corners, FakeGame, LapRecord } from "../fake-game.js";
import { expect, test, until } from "../harness.js";

/** Model seconds per second. What moves is compared at a standstill of the game's clock, see `compareCar`. */
const SPEED = "2";
const A_LAP_MS = 45_000;

const condition = (page: Page) => page.locator("[data-panel=strip] [data-condition]");
const panel = (page: Page, name: string) => page.locator(`[data-panel=${name}]`);

/** The number that the page shows for a channel; NaN for "—". */
async function shown(page: Page, channel: string): Promise<number> {
  const text = await page.locator(`[data-channel="${channel}"]`).first().innerText();
  return Number.parseFloat(text.replace("−", "-"));
}

function lapTime(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  return `${minutes}:${((ms % 60_000) / 1000).toFixed(3).padStart(6, "0")}`;
}

function sectorTime(ms: number): string {
  return ms < 60_000 ? (ms / 1000).toFixed(3) : lapTime(ms);
}

async function signUp(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/signup`);
  await page.getByLabel("Your name").fill("Ingrid Engineer");
  await page.getByLabel("E-mail").fill("ingrid@example.org");
  await page.getByLabel("Password").fill("short");
  await page.getByLabel("Team").fill("Ours");
  await page.getByRole("button", { name: "Make account and team" }).click();
  await expect(page.getByText(/at least 10|10 characters or more/).first()).toBeVisible();
  await page.getByLabel("Password").fill("correct horse battery");
  await page.getByRole("button", { name: "Make account and team" }).click();
}

/** Stops the game's clock, compares what the page shows with what the game shows, and lets it go on. */
async function compareCar(page: Page, game: FakeGame): Promise<void> {
  await until("the car to be fast", async () => ((await game.state()).speed_kmh > 120 ? true : undefined));
  const car = await game.do("pause");
  await expect(condition(page)).toHaveAttribute("data-condition", "paused");
  // The last sample is up to 50 ms old, which is 100 ms of the model: braking hard, 15 km/h.
  expect(Math.abs((await shown(page, "speed")) - car.speed_kmh)).toBeLessThan(15);
  expect(Math.abs((await shown(page, "fuel")) - car.fuel_l)).toBeLessThan(0.05);
  const energy = car.virtual_energy ?? Number.NaN;
  expect(Math.abs((await shown(page, "virtual_energy")) - 100 * energy)).toBeLessThan(0.15);
  const corners: Array<[string, Corners, (value: number) => number, number]> = [
    ["tire_pressures", car.tyre_pressure_kpa, (kpa) => kpa, 0.3],
    ["tire_wear", car.tyre_remaining, (left) => 100 * (1 - left), 0.11],
    ["tire_inner_temps", car.tyre_inner_c, (celsius) => celsius, 1.5],
    ["tire_carcass_temps", car.tyre_carcass_c, (celsius) => celsius, 1.5],
    ["brake_temps", car.brake_c, (celsius) => celsius, 25],
  ];
  for (const [name, values, convert, tolerance] of corners) {
    for (const corner of ["fl", "fr", "rl", "rr"] as const) {
      const difference = Math.abs((await shown(page, `${name}.${corner}`)) - convert(values[corner]));
      expect(difference, `${name}.${corner}`).toBeLessThan(tolerance);
    }
  }
  // A corner in another one's place would show: they are further apart than the tolerance.
  const pressures = Object.values(car.tyre_pressure_kpa).sort((a, b) => a - b);
  expect(Math.min(...pressures.slice(1).map((p, i) => p - (pressures[i] ?? 0)))).toBeGreaterThan(0.3);
  await expect(page.getByTestId("lap")).toHaveText(String(car.lap));
  await expect(page.getByTestId("position")).toContainText(String(car.position));
  await expect(page.getByTestId("driver")).toHaveText(car.driver);
  await expect(page.getByTestId("track")).toHaveText(car.track);
  await game.do("resume");
  await expect(condition(page)).toHaveAttribute("data-condition", "live");
}

async function expectLaps(page: Page, laps: LapRecord[]): Promise<void> {
  for (const lap of laps) {
    const row = page.locator(`[data-lap="${lap.lap}"]`).first();
    await expect(row).toContainText(lap.lap_time_ms === null ? "—" : lapTime(lap.lap_time_ms));
    for (const ms of [lap.sector1_ms, lap.sector2_ms, lap.sector3_ms]) {
      if (ms !== null) await expect(row).toContainText(sectorTime(ms));
    }
  }
}

async function changeSetup(page: Page, game: FakeGame): Promise<void> {
  await game.do("garage");
  await expect(condition(page)).toHaveAttribute("data-condition", "garage");
  const key = "WM_PRESSURE-W_FL";
  const setting = panel(page, "setup").locator('[data-area=tyres] [data-setting*="ressure"] [data-corner=fl]').first();
  const before = (await game.state()).setup[key] ?? "";
  await expect(setting).toContainText(before, { timeout: 30_000 });
  const after = (await game.do("setup", { key, value: 20 })).setup[key] ?? "";
  expect(after).not.toBe(before);
  await expect(setting).toContainText(after, { timeout: 30_000 });
  await game.do("track");
  await expect(condition(page)).toHaveAttribute("data-condition", "live", { timeout: 30_000 });
}

test("from sign-up over a live race to its review", async ({ page, stack }) => {
  test.setTimeout(300_000);
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));

  await signUp(page, stack.url);
  await page.getByLabel("Name").fill("RIG_A");
  await page.getByRole("button", { name: "Make rig and token" }).click();
  const token = (await page.getByTestId("token").innerText()).match(/1lap_rig_\w+/)?.[0] ?? "";
  expect(token).not.toBe("");
  await expect(page.getByTestId("waiting")).toContainText("Waiting for the first frame");

  const game = await stack.startFakeGame("--track", "short", "--cars", "14", "--speed", SPEED, "--seed", "7");
  stack.startAgent(token);
  // The page turns to the dashboard by itself.
  await page.waitForURL(/\/live\//, { timeout: 30_000 });
  await expect(condition(page)).toHaveAttribute("data-condition", "live");
  await compareCar(page, game);

  await until("two laps", async () => ((await game.state()).laps_completed >= 2 ? true : undefined), 3 * A_LAP_MS);
  await expectLaps(page, (await game.laps()).slice(0, 2));
  // Consumption was seen on one lap with a line before it: the page now knows how far the energy goes.
  await expect(page.getByTestId("laps-left")).not.toHaveText("—");
  await compareCar(page, game);

  await changeSetup(page, game);

  await until("the middle of a lap", async () => {
    const { lap_distance_m, place } = await game.state();
    return (place === "track" && lap_distance_m > 200) || undefined;
  });
  const laps = await game.laps();
  await game.program.end("SIGKILL");
  await expect(condition(page)).toHaveAttribute("data-condition", "stale", { timeout: 30_000 });
  await expect(condition(page)).toContainText(/Stale since \d+ s/);

  // The agent gives a game that does not come back half a minute, then it ends the session.
  await expect(condition(page)).toHaveAttribute("data-condition", "over", { timeout: 60_000 });
  await page.getByRole("navigation", { name: "Team" }).getByRole("link", { name: "Sessions" }).click();
  await page.getByRole("link", { name: new RegExp((await page.locator("main a[href*='/sessions/']").first().innerText()).split("\n")[0] ?? "") }).first().click();
  await page.waitForURL(/\/sessions\/[0-9a-f-]{36}/);
  await expectLaps(page, laps);
  await expect(page.locator("[data-lap]")).toHaveCount(laps.length);
  expect(errors).toEqual([]);
});
