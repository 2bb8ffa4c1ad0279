import { afterEach, vi } from "vitest";

// What Mantine asks of a browser and jsdom does not have.
Object.defineProperty(window, "matchMedia", {
  writable: true,
  value: vi.fn((query: string) => ({
    matches: false,
    media: query,
    addEventListener: vi.fn(),
    removeEventListener: vi.fn(),
    addListener: vi.fn(),
    removeListener: vi.fn(),
    dispatchEvent: vi.fn(),
  })),
});

class Observer {
  observe() {}
  unobserve() {}
  disconnect() {}
}
window.ResizeObserver = Observer;
Element.prototype.scrollIntoView = vi.fn();

afterEach(() => {
  document.body.innerHTML = "";
});
