// A QR code before the camera, as the text of a form with `data-scan`: the address of the script that reads such codes,
// for browsers that read none by themselves.

const SHARP = 800; // pixels of the longer side: enough for a code that fills a third of the picture

const form = document.querySelector("form[data-scan]");
if (form && navigator.mediaDevices) {
  const part = form.querySelector("[data-scan-part]");
  const button = form.querySelector("[data-scan-start]");
  const video = form.querySelector("[data-scan-video]");
  const told = form.querySelector("[data-scan-told]");
  const label = button.textContent;
  let stream = null;

  const stop = () => {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    video.hidden = true;
    button.textContent = label;
  };

  const ofBrowser = async () => {
    const known = "BarcodeDetector" in window ? await BarcodeDetector.getSupportedFormats().catch(() => []) : [];
    if (!known.includes("qr_code")) return null;
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    return async () => (await detector.detect(video).catch(() => []))[0]?.rawValue;
  };

  const ofOurs = async () => {
    const { textIn } = await import(form.dataset.scan);
    const canvas = document.createElement("canvas");
    const picture = canvas.getContext("2d", { willReadFrequently: true });
    return () => {
      const by = Math.min(1, SHARP / Math.max(video.videoWidth, video.videoHeight));
      [canvas.width, canvas.height] = [Math.round(video.videoWidth * by), Math.round(video.videoHeight * by)];
      picture.drawImage(video, 0, 0, canvas.width, canvas.height);
      return textIn(picture.getImageData(0, 0, canvas.width, canvas.height).data, canvas.width, canvas.height);
    };
  };

  const look = async (read) => {
    if (!stream) return;
    const text = video.readyState >= 2 ? await read() : "";
    if (text && stream) {
      stop();
      form.querySelector("textarea").value = text;
      form.requestSubmit();
    } else {
      requestAnimationFrame(() => look(read));
    }
  };

  button.addEventListener("click", async () => {
    told.textContent = "";
    if (stream) return stop();
    try {
      const read = (await ofBrowser()) ?? (await ofOurs());
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      video.srcObject = stream;
      video.hidden = false;
      button.textContent = button.dataset.stop;
      await video.play();
      look(read);
    } catch {
      stop();
      told.textContent = button.dataset.fails;
    }
  });
  part.hidden = false;
}
