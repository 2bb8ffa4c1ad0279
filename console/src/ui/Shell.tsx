import { ActionIcon, Alert, Menu, UnstyledButton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useLocation, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { type Connection, followChanges } from "../api/changes";
import { api, done, setCsrfToken } from "../api/client";
import { toProblem } from "../api/problem";
import { networksQuery, sessionQuery } from "../api/queries";
import { useCan, useSession } from "../api/session";
import { formatRole } from "../lib/format";
import {
  IconAlert,
  IconApplication,
  IconAudit,
  IconClose,
  IconConsortium,
  IconEngine,
  IconKey,
  IconMenu,
  IconNetwork,
  IconNode,
  IconOperation,
  IconOrganisation,
  IconOverview,
  IconServer,
  IconUsers,
} from "./icons";
import { PasswordDialog } from "./PasswordDialog";
import { SchemeMenu } from "./SchemeMenu";
import { Dot, toneStyle } from "./Status";
import { Wordmark } from "./Wordmark";

/** The frame of every signed-in page: navigation, who is signed in, and the stream of changes. */
export function Shell() {
  const [open, setOpen] = useState(false);
  const connection = useChanges();
  const { pathname } = useLocation();
  const main = useRef<HTMLElement>(null);
  const last = useRef(pathname);
  useEffect(() => {
    if (last.current === pathname) return;
    last.current = pathname;
    setOpen(false);
    // A reader of screens starts at the new page, not at the link that led to it.
    main.current?.focus({ preventScroll: true });
  }, [pathname]);
  useEffect(() => {
    if (!open) return;
    const close = (event: KeyboardEvent) => event.key === "Escape" && setOpen(false);
    addEventListener("keydown", close);
    return () => removeEventListener("keydown", close);
  }, [open]);
  return (
    <div className="shell" data-open={open || undefined}>
      <a className="skip-link" href="#main">
        Skip to the content
      </a>
      <div className="shell-top">
        <Wordmark />
        <ActionIcon
          variant="transparent"
          c="white"
          size="lg"
          onClick={() => setOpen(true)}
          aria-label="Open the navigation"
          aria-expanded={open}
        >
          <IconMenu size={22} />
        </ActionIcon>
      </div>
      <aside className="shell-nav">
        <div className="nav-brand">
          <Link to="/" aria-label="Polder, overview" style={{ color: "inherit", textDecoration: "none" }}>
            <Wordmark />
          </Link>
          {open && (
            <ActionIcon
              variant="transparent"
              c="white"
              onClick={() => setOpen(false)}
              aria-label="Close the navigation"
            >
              <IconClose size={18} />
            </ActionIcon>
          )}
        </div>
        <Navigation />
        <Foot connection={connection} />
      </aside>
      {open && (
        <button
          type="button"
          className="shell-shade"
          aria-label="Close the navigation"
          onClick={() => setOpen(false)}
        />
      )}
      <main id="main" className="shell-main" tabIndex={-1} ref={main}>
        {connection === "polling" && <CutOff />}
        <Outlet />
      </main>
    </div>
  );
}

/** Said only after a moment: a stream that is opened anew at once needs no words. */
function CutOff() {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), 2_000);
    return () => clearTimeout(timer);
  }, []);
  if (!shown) return null;
  return (
    <Alert color="yellow" icon={<IconAlert size={18} />} title="No connection to the server" role="status" mb="md">
      What you see may be old. The console tries again every few seconds; check that Polder is running if this stays.
    </Alert>
  );
}

function useChanges(): Connection {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [connection, setConnection] = useState<Connection>("connecting");
  useEffect(() => followChanges(client, setConnection), [client]);
  useEffect(() => {
    // A session that ended shows first as a refused query, wherever the user is.
    return client.getQueryCache().subscribe((event) => {
      if (event.type !== "updated" || event.action.type !== "error") return;
      if (toProblem(event.action.error).status !== 401 || location.pathname === "/sign-in") return;
      client.removeQueries({ queryKey: sessionQuery().queryKey });
      void navigate({ to: "/sign-in", search: { to: location.pathname + location.search, ended: true } });
    });
  }, [client, navigate]);
  return connection;
}

function Navigation() {
  const can = useCan();
  const networks = useQuery(networksQuery());
  return (
    <nav className="nav-scroll" aria-label="Main">
      <Item to="/" icon={<IconOverview size={18} />} exact>
        Overview
      </Item>
      <Item to="/networks" icon={<IconNetwork size={18} />} exact>
        Networks
      </Item>
      {networks.data?.items.slice(0, 8).map((network) => (
        <Link
          key={network.id}
          to="/networks/$network"
          params={{ network: network.id }}
          search={{ channel: "" }}
          className="nav-link nav-sub"
        >
          <Dot status={network.status} />
          <span>{network.name}</span>
        </Link>
      ))}
      <Item to="/nodes" icon={<IconNode size={18} />}>
        Nodes
      </Item>
      <Item to="/consortia" icon={<IconConsortium size={18} />}>
        Consortia
      </Item>
      {can("applications:read") && (
        <Item to="/applications" icon={<IconApplication size={18} />}>
          Applications
        </Item>
      )}
      <Item to="/operations" icon={<IconOperation size={18} />}>
        Operations
      </Item>
      <div className="nav-section">Administration</div>
      <Item to="/organisations" icon={<IconOrganisation size={18} />}>
        Organisations
      </Item>
      {can("users:read") && (
        <Item to="/users" icon={<IconUsers size={18} />}>
          Users
        </Item>
      )}
      <Item to="/access-keys" icon={<IconKey size={18} />}>
        Access keys
      </Item>
      {can("audit:read") && (
        <Item to="/audit" icon={<IconAudit size={18} />}>
          Audit log
        </Item>
      )}
      <Item to="/engines" icon={<IconEngine size={18} />}>
        Engines
      </Item>
      <Item to="/server" icon={<IconServer size={18} />}>
        Server
      </Item>
    </nav>
  );
}

interface ItemProps {
  to:
    | "/"
    | "/networks"
    | "/nodes"
    | "/consortia"
    | "/applications"
    | "/operations"
    | "/organisations"
    | "/users"
    | "/access-keys"
    | "/audit"
    | "/engines"
    | "/server";
  icon: ReactNode;
  exact?: boolean;
  children: ReactNode;
}

function Item({ to, icon, exact = false, children }: ItemProps) {
  return (
    <Link to={to} className="nav-link" activeOptions={{ exact }} preload="intent">
      {icon}
      {children}
    </Link>
  );
}

const CONNECTION: Record<Connection, [tone: "ok" | "warn" | "busy", text: string]> = {
  connecting: ["busy", "Connecting"],
  live: ["ok", "Live"],
  polling: ["warn", "Reconnecting, refreshed every 5 s"],
};

function Foot({ connection }: { connection: Connection }) {
  const session = useSession();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [changing, password] = useDisclosure();
  const [tone, text] = CONNECTION[connection];
  const roles = [...new Set(session.user.grants.map((grant) => formatRole(grant.role)))].join(", ");
  const signOut = async () => {
    await done(api.DELETE("/api/v1/session")).catch(() => undefined);
    setCsrfToken(null);
    client.clear();
    await navigate({ to: "/sign-in" });
  };
  return (
    <div className="nav-foot">
      <div className="nav-live" role="status">
        <span className="dot" style={toneStyle(tone)} />
        {text}
      </div>
      <div style={{ display: "flex", alignItems: "center", gap: 4 }}>
        <Menu position="top-start" width={210} withinPortal>
          <Menu.Target>
            <UnstyledButton className="nav-user" aria-label={`Signed in as ${session.user.name}`}>
              <span style={{ minWidth: 0 }}>
                <span style={{ display: "block", fontSize: "0.8125rem", fontWeight: 500 }}>{session.user.name}</span>
                <span style={{ display: "block", fontSize: "0.75rem", color: "var(--deep-ink-soft)" }}>{roles}</span>
              </span>
            </UnstyledButton>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={password.open}>Change password</Menu.Item>
            <Menu.Item onClick={signOut}>Sign out</Menu.Item>
          </Menu.Dropdown>
        </Menu>
        <SchemeMenu />
      </div>
      <PasswordDialog opened={changing} onClose={password.close} />
    </div>
  );
}
