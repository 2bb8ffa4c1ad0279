import { Alert, Button, Group, Stack, Stepper, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { consortiaQuery, enginesQuery } from "../api/queries";
import type { Consortium, Engine } from "../api/types";
import { Allowed } from "../ui/Allowed";
import { Empty } from "../ui/Empty";
import { ButtonLink, TextLink } from "../ui/links";
import { PageHeader } from "../ui/PageHeader";
import { Panel } from "../ui/Panel";
import { QueryView } from "../ui/QueryView";
import { Creation } from "./wizard/Creation";
import { chosenConsensus, initialDraft, type NetworkDraft, problemsOf } from "./wizard/draft";
import { EngineStep } from "./wizard/EngineStep";
import { MembersStep } from "./wizard/MembersStep";
import { OptionsStep } from "./wizard/OptionsStep";
import { ReviewStep } from "./wizard/ReviewStep";

const STEPS = ["Engine", "Members and nodes", "Options", "Review"];

const route = getRouteApi("/signed-in/networks/new");

export function NewNetworkPage() {
  const { consortium } = route.useSearch();
  const engines = useQuery(enginesQuery());
  const consortia = useQuery(consortiaQuery());
  return (
    <>
      <PageHeader
        title="New network"
        crumbs={[
          <TextLink key="all" to="/networks">
            Networks
          </TextLink>,
        ]}
        description="One running ledger, kept by the members of a consortium together. Nothing is started before you have seen the plan."
      />
      <Allowed permission="networks:write">
        <QueryView query={engines}>
          {(engines) => (
            <QueryView query={consortia}>
              {(consortia) =>
                consortia.items.length === 0 || engines.items.length === 0 ? (
                  <Panel>
                    <Empty
                      title="Found a consortium first"
                      action={<ButtonLink to="/consortia">Go to the consortia</ButtonLink>}
                    >
                      A network belongs to a consortium: the organisations that keep it together.
                    </Empty>
                  </Panel>
                ) : (
                  <Wizard
                    // What is only attached is not made.
                    engines={engines.items.filter((engine) => engine.consensus.length > 0)}
                    consortia={consortia.items}
                    start={consortium}
                  />
                )
              }
            </QueryView>
          )}
        </QueryView>
      </Allowed>
    </>
  );
}

interface WizardProps {
  engines: Engine[];
  consortia: Consortium[];
  start?: string;
}

const LAST = 3;

function Wizard({ engines, consortia, start }: WizardProps) {
  const [step, setStep] = useState(0);
  const [tried, setTried] = useState(false);
  const [draft, setDraft] = useState<NetworkDraft>(() => initialDraft(engines, consortia, start));
  const engine = engines.find((engine) => engine.name === draft.engine);
  const consortium = consortia.find((consortium) => consortium.id === draft.consortium);
  if (engine === undefined || consortium === undefined) return null;
  const problems = problemsOf(draft, engine);
  const here = problems.filter((problem) => problem.step === step);
  const errors = tried ? Object.fromEntries(here.map((problem) => [problem.field, problem.message])) : {};
  const change = (part: Partial<NetworkDraft>) => setDraft((old) => ({ ...old, ...part }));
  const go = (to: number) => {
    if (to > step && here.length > 0) {
      setTried(true);
      return;
    }
    setTried(false);
    setStep(to);
    scrollTo(0, 0);
  };
  return (
    <Stack gap="lg" maw={980}>
      <Stepper
        active={step}
        onStepClick={go}
        size="sm"
        allowNextStepsSelect={false}
        wrap={false}
        classNames={{ steps: "wizard-steps" }}
      >
        {STEPS.map((label) => (
          // A narrow screen shows the name of the present step only; the others keep theirs for who does not see them.
          <Stepper.Step key={label} label={label} aria-label={label} />
        ))}
      </Stepper>
      {step === 0 && <EngineStep engines={engines} engine={engine} draft={draft} errors={errors} onChange={change} />}
      {step === 1 && (
        <MembersStep
          consortia={consortia}
          consortium={consortium}
          consensus={chosenConsensus(engine, draft)}
          draft={draft}
          errors={errors}
          onChange={change}
        />
      )}
      {step === 2 && <OptionsStep engine={engine} draft={draft} errors={errors} onChange={change} />}
      {step === LAST && <ReviewStep draft={draft} engine={engine} consortium={consortium} />}
      {tried && here.length > 0 && (
        <Alert color="red" p="sm" role="alert">
          {here.map((problem) => (
            <Text size="sm" key={problem.field}>
              {problem.message}
            </Text>
          ))}
        </Alert>
      )}
      <Group justify="space-between" align="flex-start">
        <Button variant="default" disabled={step === 0} onClick={() => go(step - 1)}>
          Back
        </Button>
        {step < LAST ? <Button onClick={() => go(step + 1)}>Next</Button> : <Creation draft={draft} />}
      </Group>
    </Stack>
  );
}
