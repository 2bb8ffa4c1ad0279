import { setNonce } from "get-nonce";

/** By which the server's content policy knows the styles that the console's libraries add to the page. */
export const styleNonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? "";

// Read by what keeps the page behind a dialog from scrolling.
setNonce(styleNonce);
