export default function Page() { return <h1 tabIndex={-1}>run</h1>; }
