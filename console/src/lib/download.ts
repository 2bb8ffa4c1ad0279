/** Has the browser save a text as a file. */
export function download(name: string, text: string, type = "text/plain") {
  const address = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The download has begun by then: it keeps what it needs.
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
