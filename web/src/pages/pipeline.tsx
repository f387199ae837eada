export default function Page() { return <h1 tabIndex={-1}>pipeline</h1>; }
