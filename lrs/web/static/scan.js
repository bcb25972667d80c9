// A QR code before the camera, as the text of a form with `data-scan`. Only where the browser reads such codes by itself.

const form = document.querySelector("form[data-scan]");
if (form && "BarcodeDetector" in window && navigator.mediaDevices) {
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

  const look = async (detector) => {
    if (!stream) return;
    const [code] = video.readyState >= 2 ? await detector.detect(video).catch(() => []) : [];
    if (code?.rawValue) {
      stop();
      form.querySelector("textarea").value = code.rawValue;
      form.requestSubmit();
    } else {
      requestAnimationFrame(() => look(detector));
    }
  };

  button.addEventListener("click", async () => {
    told.textContent = "";
    if (stream) return stop();
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      video.srcObject = stream;
      video.hidden = false;
      button.textContent = button.dataset.stop;
      await video.play();
      look(new BarcodeDetector({ formats: ["qr_code"] }));
    } catch {
      stop();
      told.textContent = button.dataset.fails;
    }
  });
  part.hidden = false;
}
