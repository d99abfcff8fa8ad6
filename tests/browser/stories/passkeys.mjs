import { story } from "../story.mjs";

story("an owner adds a passkey, and signs in with it", async (world) => {
    const portreeve = await world.portreeve();
    const owner = await world.owner(portreeve);
    await owner.passkeys();
    const { page } = owner;
    await page.goto(`${portreeve.url}/console/me`);
    await page.getByLabel("Name").fill("Laptop");
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await page.getByRole("row").filter({ hasText: "Laptop" }).waitFor();
    await owner.screen("me-passkey");
    await page.getByRole("button", { name: "Sign out" }).click();
    await owner.heading("Signed out");
    await page.getByRole("link", { name: "Sign in again" }).click();
    await owner.heading(/Sign in/);
    await owner.screen("sign-in-passkey");
    await page.getByRole("button", { name: /passkey/i }).click();
    await owner.heading("Overview");
});
