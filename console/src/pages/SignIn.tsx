import { Alert, Button, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { api, done, setCsrfToken } from "../api/client";
import { sessionQuery } from "../api/queries";
import { ProblemAlert } from "../ui/ProblemAlert";
import { SchemeMenu } from "../ui/SchemeMenu";
import { Wordmark } from "../ui/Wordmark";
import "./sign-in.css";

const route = getRouteApi("/sign-in");

export function SignIn() {
  useDocumentTitle("Sign in · Polder");
  const { to, ended } = route.useSearch();
  const navigate = useNavigate();
  const client = useQueryClient();
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const signIn = useMutation({
    mutationFn: () => done(api.POST("/api/v1/session", { body: { user: user.trim(), password } })),
    onSuccess: async (session) => {
      setCsrfToken(session.csrfToken);
      client.clear();
      client.setQueryData(sessionQuery().queryKey, session);
      await navigate({ href: to ?? "/", replace: true });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate();
  };
  return (
    <div className="sign-in">
      <div className="sign-in-land" aria-hidden="true">
        <Land />
      </div>
      <main className="sign-in-side">
        <div className="sign-in-brand">
          <Wordmark />
          <SchemeMenu light={false} />
        </div>
        <form onSubmit={submit} className="sign-in-form">
          <Stack gap="md">
            <div>
              <Title order={1}>Sign in</Title>
              <Text c="dimmed" size="sm" mt={4}>
                To the deployment at {location.host}
              </Text>
            </div>
            {ended && signIn.error == null && (
              <Alert color="yellow" role="status" p="sm">
                Your session has ended. Sign in to go on where you were.
              </Alert>
            )}
            <TextInput
              label="User name"
              name="user"
              autoComplete="username"
              autoCapitalize="none"
              spellCheck={false}
              autoFocus
              required
              withAsterisk={false}
              value={user}
              onChange={(event) => setUser(event.currentTarget.value)}
            />
            <PasswordInput
              label="Password"
              name="password"
              autoComplete="current-password"
              required
              withAsterisk={false}
              value={password}
              onChange={(event) => setPassword(event.currentTarget.value)}
              visibilityToggleButtonProps={{ "aria-label": "Show or hide the password" }}
            />
            <ProblemAlert error={signIn.error} />
            <Button type="submit" size="md" fullWidth loading={signIn.isPending}>
              Sign in
            </Button>
            <Text size="xs" c="dimmed">
              The first administrator is <span className="mono">admin</span>; the server printed the password when it
              first started. Lost it? Run <span className="mono">polder server reset-password</span> on the server.
            </Text>
          </Stack>
        </form>
      </main>
    </div>
  );
}

/** Fields between ditches under a wide sky: land that neighbours keep dry together. */
function Land() {
  const ditches = [-520, -330, -180, -60, 50, 170, 320, 510, 760];
  return (
    <svg aria-hidden="true" focusable="false" viewBox="0 0 800 900" preserveAspectRatio="xMidYMax slice">
      <rect width="800" height="900" fill="#0a333c" />
      <path d="M0 430h800v470H0z" fill="#1b5a48" />
      {ditches.map((x, index) => (
        <path
          key={x}
          d={`M${400 + x * 0.18} 430 ${400 + x * 2.2} 900h${index % 2 === 0 ? 150 : 210}L${400 + x * 0.18 + 14} 430z`}
          fill={index % 2 === 0 ? "#27705a" : "#3a8a68"}
        />
      ))}
      {ditches.map((x) => (
        <path key={x} d={`M${400 + x * 0.18} 430 ${400 + x * 2.2} 900`} stroke="#67c7d8" strokeWidth="3" fill="none" />
      ))}
      <path d="M0 430h800" stroke="#7cc48d" strokeWidth="5" />
      <path d="M0 421h800" stroke="#135361" strokeWidth="12" />
      <g fill="none" stroke="#2b7280" strokeWidth="2">
        <path d="M60 150c60-14 120-14 180 0s120 14 180 0" />
        <path d="M420 230c50-12 100-12 150 0s100 12 150 0" />
        <path d="M140 310c40-9 80-9 120 0s80 9 120 0" />
      </g>
      <g fill="none" stroke="#7cc48d" strokeWidth="4" strokeLinecap="round">
        <path d="M600 418v-74M600 344l-34-28M600 344l36-25M600 344l-27 34M600 344l28 33" />
      </g>
    </svg>
  );
}
