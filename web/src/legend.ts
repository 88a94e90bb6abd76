// The classes: their colors and shares; hovering highlights one, a click switches it off.

import type { ClassInfo, Result } from "./engine";

export class Legend {
  private buttons: HTMLButtonElement[] = [];
  private readonly off = new Set<number>();

  constructor(
    private readonly list: HTMLUListElement,
    private readonly onHighlight: (label: number | undefined) => void,
    private readonly onHide: (labels: Set<number>) => void,
  ) {}

  setClasses(classes: ClassInfo[]): void {
    this.off.clear();
    this.buttons = classes.map((entry, index) => this.button(entry, index));
    this.list.replaceChildren(
      ...this.buttons.map((button) => {
        const item = document.createElement("li");
        item.append(button);
        return item;
      }),
    );
  }

  private button({ name, color }: ClassInfo, index: number): HTMLButtonElement {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-pressed", "true");
    button.title = `Show or hide ${name}`;
    button.append(...["swatch", "name", "share"].map(span));
    (button.children[0] as HTMLElement).style.background = `rgb(${color.join(" ")})`;
    button.children[1].textContent = name;
    for (const kind of ["pointerenter", "focus"]) {
      button.addEventListener(kind, () => this.onHighlight(index));
    }
    for (const kind of ["pointerleave", "blur"]) {
      button.addEventListener(kind, () => this.onHighlight(undefined));
    }
    button.addEventListener("click", () => this.toggle(index));
    return button;
  }

  private toggle(index: number): void {
    if (!this.off.delete(index)) this.off.add(index);
    this.buttons[index].setAttribute("aria-pressed", String(!this.off.has(index)));
    this.onHide(this.off);
  }

  showShares({ labels }: Result): void {
    const counts = new Uint32Array(256);
    for (const label of labels) counts[label]++;
    this.buttons.forEach((button, index) => {
      const share = counts[index] / labels.length;
      button.children[2].textContent = `${(100 * share).toFixed(1)} %`;
    });
  }
}

function span(kind: string): HTMLSpanElement {
  const element = document.createElement("span");
  element.className = kind;
  return element;
}
