import { story } from "../story.mjs";

story("an owner adds a passkey, and signs in with it", async (world) => {
    const portreeve = await world.portreeve();
    const owner = await world.owner(portreeve);
    await owner.passkeys();
    const { page } = owner;
    await page.goto(`${portreeve.url}/console/me`);
    await page.getByRole("button", { name: /add a passkey/i }).click();
    await page.getByRole("main").getByText(/passkey/i).first().waitFor();
    await owner.screen("me-passkey");
    await page.getByRole("button", { name: "Sign out" }).click();
    await owner.heading(/Sign in/);
    await owner.screen("sign-in-passkey");
    await page.getByRole("button", { name: /passkey/i }).click();
    await owner.heading("Overview");
});
