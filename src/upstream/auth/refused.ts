import type { UpstreamResponse } from '../transport/response.ts';
import { isStaleCredential } from '../transport/classify.ts';
import { challengesOf } from './demands.ts';

/**
 * Whether other credentials may change the answer: after 401 they may, and if an authorization was sent, also after 403
 * (ECR's expired password) and 400 DENIED (public.ecr.aws).
 */
export async function isRefused(answer: UpstreamResponse, wasAuthorized: boolean): Promise<boolean> {
  if (answer.status === 401) return true;
  if (!wasAuthorized) return false;
  if (answer.status === 403) return true;
  return answer.status === 400 && isStaleCredential(400, await answer.problem());
}

/**
 * Tells whether an answer may be about the configured account and not about the repository. A 401 to a token may be
 * about either (Quay sends it for missing repositories), unless it says that the token grants too little. ECR sends 403
 * when its password of twelve hours has expired.
 */
export async function refusalOfAccount(
  answer: UpstreamResponse,
  isPassword: boolean,
): Promise<UpstreamResponse['refusedAs']> {
  if (answer.status === 401) {
    if (isPassword) return 'account-refused';
    const isAboutGrants = challengesOf(answer).some(
      ({ params }) => params.get('error') === 'insufficient_scope',
    );
    return isAboutGrants ? undefined : 'token-refused';
  }
  if (answer.status !== 403 || !isPassword) return undefined;
  const { message = '' } = await answer.problem();
  return /authorization token has expired/i.test(message) ? 'account-refused' : undefined;
}
