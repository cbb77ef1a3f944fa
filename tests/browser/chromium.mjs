// Where the browser is: ONELAP_CHROMIUM, else Chromium or Chrome in PATH, else Playwright's own download.
// Run as a program it prints the path, and exits 1 when there is none.

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
const ELSEWHERE = [
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @returns {Promise<string | undefined>} */
export async function findChromium() {
  const named = process.env.ONELAP_CHROMIUM;
  if (named) {
    if (!isExecutable(named)) throw new Error(`ONELAP_CHROMIUM is "${named}", which cannot be executed`);
    return named;
  }
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  const found = [...folders.flatMap((folder) => NAMES.map((name) => join(folder, name))), ...ELSEWHERE].find(isExecutable);
  // Ubuntu's /usr/bin/chromium-browser is a script that asks for a snap; Playwright's own build is meant there.
  if (found && !found.endsWith("/chromium-browser")) return found;
  const { chromium } = await import("@playwright/test");
  return [chromium.executablePath(), found].find((path) => path && isExecutable(path));
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const path = await findChromium();
  if (!path) {
    console.error("no Chromium found: install chromium or set ONELAP_CHROMIUM to its executable");
    process.exit(1);
  }
  console.log(path);
}
