// Where the page begins. The styles of all views come first, so that each view's own outweigh them.

import "./views/styles/all.css";

import { render } from "preact";
import { App } from "./views/app.tsx";
import { start } from "./views/session.ts";
import { applySettings } from "./views/settings.ts";

applySettings();
const root = document.getElementById("app");
if (root) render(<App />, root);
void start();
