/* What every page needs: the behaviours below attach themselves to what carries their data-* names, also in parts that
   come later. Without any of them every page still works. */
import { attach as attachKeys } from "./keys.js";
import { attach as attachDialogs } from "./dialogs.js";
import { attach as attachPicks } from "./picks.js";
import { attach as attachCombos } from "./combo.js";
import { attach as attachKept } from "./kept.js";
import { attach as attachStay } from "./stay.js";
import { attach as attachAuto } from "./auto.js";
import { attach as attachLine } from "./line.js";

const everything = [attachKeys, attachDialogs, attachPicks, attachCombos, attachKept, attachStay, attachLine, attachAuto];

function attach(root) {
  for (const behaviour of everything) behaviour(root);
}

attach(document);
document.addEventListener("htmx:load", (event) => {
  if (event.target !== document.body) attach(event.target);
});
