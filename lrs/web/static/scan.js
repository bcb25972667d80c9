// A QR code before the camera, for a form with `data-scan`. Where the browser reads such codes, the form is sent with
// the text of the first one that is seen; elsewhere with the picture that is taken, in which the server reads it.

const SHARP = 1600; // pixels of the longer side of a picture that is sent

const form = document.querySelector("form[data-scan]");
if (form && navigator.mediaDevices) {
  const part = form.querySelector("[data-scan-part]");
  const button = form.querySelector("[data-scan-start]");
  const video = form.querySelector("[data-scan-video]");
  const told = form.querySelector("[data-scan-told]");
  const label = button.textContent;
  let stream = null;
  let detector = null;

  const stop = () => {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    video.hidden = true;
    button.textContent = label;
  };

  const detectorOfBrowser = async () => {
    const known = "BarcodeDetector" in window ? await BarcodeDetector.getSupportedFormats().catch(() => []) : [];
    return known.includes("qr_code") ? new BarcodeDetector({ formats: ["qr_code"] }) : null;
  };

  const look = async () => {
    if (!stream) return;
    const [code] = video.readyState >= 2 ? await detector.detect(video).catch(() => []) : [];
    if (code?.rawValue && stream) {
      stop();
      form.querySelector("textarea").value = code.rawValue;
      form.requestSubmit();
    } else {
      requestAnimationFrame(look);
    }
  };

  const take = async () => {
    const by = Math.min(1, SHARP / Math.max(video.videoWidth, video.videoHeight));
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [video.videoWidth * by, video.videoHeight * by];
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    stop();
    const picture = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.9));
    if (!picture) return void (told.textContent = button.dataset.fails);
    const files = new DataTransfer();
    files.items.add(new File([picture], "photograph.jpg", { type: picture.type }));
    form.querySelector("input[type=file]").files = files.files;
    form.requestSubmit();
  };

  button.addEventListener("click", async () => {
    told.textContent = "";
    if (stream) return detector || video.readyState < 2 ? stop() : take();
    try {
      detector = await detectorOfBrowser();
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      video.srcObject = stream;
      video.hidden = false;
      button.textContent = detector ? button.dataset.stop : button.dataset.take;
      await video.play();
      if (detector) look();
    } catch {
      stop();
      told.textContent = button.dataset.fails;
    }
  });
  part.hidden = false;
}
